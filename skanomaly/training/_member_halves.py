"""Members cut into parts that train side by side, one processor core or device each.

Owns which models can be cut, and what of a training state belongs to which part. On two cores
two halves take about half as long as one batched program of all members, whose products are
too small to be shared out between cores. Batches and steps are not known here.
"""

import numpy as np

from skanomaly.backend._seeding import seeded
from skanomaly.networks._autoencoders import resized

#: Keras' optimizers that treat every weight by itself.
_ELEMENTWISE = (
    "Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD",
)  # fmt: skip


def n_parts(model):
    """Return the number of equal parts that a `FusedModel` can be trained in.

    One where the members have anything in common: random numbers other than those of a
    corruption with one generator a part, or an optimizer that looks at more than one weight at
    once. A lone graphics processor runs all members in one program, too.
    """
    import jax

    parts, optimizer = getattr(model.corruption, "n_parts", 1), model.optimizer
    own = getattr(model.corruption, "non_trainable_variables", ())
    apart = (
        len(model.non_trainable_variables) == len(own)
        and type(optimizer).__module__.startswith("keras.")
        and type(optimizer).__name__ in _ELEMENTWISE
        and optimizer.clipnorm is None
        and optimizer.global_clipnorm is None
    )
    several = jax.default_backend() == "cpu" or jax.local_device_count() > 1
    return parts if apart and several else 1


def part_of(model, parts):
    """Return an untrained model of a part's size, to compile the part's program from."""
    size = model.n_members // parts
    with seeded(0):
        return type(model)(resized(model.network, size), model.corruption.resized(size), size)


def cut(model, state, parts):
    """Cut a training state into those of the parts.

    Parameters
    ----------
    model : FusedModel
        Whose state it is.
    state : tuple of list of array
        Values of trainable, other and optimizer variables.
    parts : int
        What `n_parts` says.

    Returns
    -------
    states : list of tuple of list of array
    """
    if parts == 1:
        return [state]
    trainable, others, optimizer = state
    size = model.n_members // parts
    states = []
    for part in range(parts):
        span = slice(part * size, (part + 1) * size)
        slots = [
            np.asarray(value)[span] if _is_cut(model, variable) else np.asarray(value)
            for variable, value in zip(model.optimizer.variables, optimizer, strict=True)
        ]
        own = _others_of(model, others, part, span)
        states.append(([np.asarray(v)[span] for v in trainable], own, slots))
    return states


def _others_of(model, others, part, span):
    """Return a part's own generator, and its members' share of all else that is not trained."""
    kept, seeds = [], iter(range(len(others)))
    for is_seed, value in zip(_are_seeds(model), others, strict=True):
        if not is_seed:
            kept.append(np.asarray(value)[span])
        elif next(seeds) == part:
            kept.append(value)
    return kept


def _joined_others(model, parts):
    """Put together what `_others_of` took apart; parts hold one generator each."""
    kinds = _are_seeds(model)
    first = kinds.index(True)
    together, seeds = [], iter(parts)
    for place, is_seed in enumerate(kinds):
        if is_seed:
            together.append(next(seeds)[first])
        else:
            own = place if place < first else place - len(parts) + 1
            together.append(np.concatenate([part[own] for part in parts]))
    return together


def _are_seeds(model):
    """Tell which of the variables that are not trained are states of random generators."""
    return ["seed" in variable.path for variable in model.non_trainable_variables]


def joined(model, states):
    """Put the states of the parts together; steps and rates are the same in all."""
    if len(states) == 1:
        return states[0]
    trainable, optimizer = (
        list(zip(*(state[kind] for state in states), strict=True)) for kind in (0, 2)
    )
    others = _joined_others(model, [state[1] for state in states])
    slots = [
        np.concatenate(values) if _is_cut(model, variable) else values[0]
        for variable, values in zip(model.optimizer.variables, optimizer, strict=True)
    ]
    return [np.concatenate(values) for values in trainable], others, slots


def _is_cut(model, variable):
    return bool(variable.shape) and variable.shape[0] == model.n_members
