"""What a detector's pickles and files hold, and what becomes of Keras objects in them.

Owns the parts that all detectors share and the mixin around them; a detector adds the parts of its
own learners. The form is that of ``utils._state``.
"""

import functools
import sys
import types

from skanomaly.base import StateMixin
from skanomaly.detectors._partial_fit import Stream
from skanomaly.preprocessing._categories import Layout, OneHot
from skanomaly.preprocessing._imputation import ConditionalMean
from skanomaly.preprocessing._table import TableEncoder
from skanomaly.utils._state import is_kept, keeping, unknown_kind

#: Attributes that hold training rows.
_ROWS = ("_background", "_stream")


_FUNCTIONS = (types.FunctionType, types.MethodType, functools.partial)


_HOLDS_NO_FUNCTION = (
    "{name} is the function {value!r}, and a file holds data alone. Give it to Keras by "
    "keras.saving.register_keras_serializable() in a module that is imported before loading, or "
    "use the name of one of Keras' own."
)


class _Built:
    """The network that a function has built, for a state that cannot hold the function."""

    def __init__(self, network):
        self.network = network


class DetectorStateMixin(StateMixin):
    """A detector's state: plain data, without training rows unless they are asked for."""

    _state_parts = (ConditionalMean, Layout, OneHot, Stream, TableEncoder)

    def __getstate__(self):
        with keeping(*(["training"] if getattr(self, "warm_start", False) else [])):
            return super().__getstate__()

    def _plain_state(self):
        state = super()._plain_state()
        gone = [] if is_kept("rows") else [name for name in _ROWS if name in state]
        if is_kept("data"):  # a file holds no functions
            gone += [name for name in ("callbacks",) if name in state]
            if "_learner" in state and isinstance(state.get("model"), _FUNCTIONS):
                state["model"] = _Built(self.network_)
            for name, value in state.items():
                if isinstance(value, _FUNCTIONS) and self._encode(value) is None:
                    raise ValueError(_HOLDS_NO_FUNCTION.format(name=name, value=value))
        return {**state, **dict.fromkeys(gone)}

    def _encode(self, thing):
        if "keras" not in sys.modules:
            return None
        from skanomaly.networks import _state

        if isinstance(thing, _Built):
            return _state.encode_untrained(thing.network)
        return _state.encode(thing)

    def _decode(self, kind, state):
        from skanomaly.networks import _state

        if kind not in _state.KINDS:
            raise ValueError(unknown_kind(kind))
        return _state.KINDS[kind](state)
