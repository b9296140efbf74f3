"""Fitted estimators as files: written whole or not at all, checked before anything is built.

Owns the order of things in saving and loading, and what a file is trusted with. Does not own: the
bytes of a file (``io._container``), what an estimator's state holds (``utils._state``), or the
format of objects, which is that of skops.
"""

import datetime
import functools
import importlib
import io
import json
import platform
import sys
import zipfile

import numpy as np

import skanomaly
from skanomaly.base import StateMixin
from skanomaly.io import _container, _plain
from skanomaly.utils._extras import import_extra
from skanomaly.utils._state import check_version, keeping

#: Trees that scikit-learn walks without looking where they lead; looked at before they are used.
_TREE = "sklearn.tree._tree.Tree"
#: What scikit-learn's transformers hold, and what cannot do anything.
_SPLITTERS = "sklearn.model_selection._split."
_OURS = (
    "skanomaly.metrics._labelled", "skanomaly.metrics._scorer", "skanomaly.model_selection._split",
)  # fmt: skip
_HARMLESS = {_TREE, "numpy.dtype", "sklearn.compose._column_transformer.make_column_selector"}
#: Nodes of the format that are a function or a class, or made by one.
_BY_NAME = ("FunctionNode", "ObjectNode", "TypeNode")
#: What the command line's models begin with, which is not public.
_READER = "skanomaly.cli._model.TableReader"


def keep_rows():
    """Let pickles and copies made inside hold training rows.

    A pickle of a detector holds no rows of its training data, and its loaded copy neither goes on
    with `partial_fit` nor explains scores without ``background=`` therefore. Made inside this
    context, it does both.

    Returns
    -------
    context : context manager

    Examples
    --------
    >>> import pickle
    >>> import numpy as np
    >>> import skanomaly
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> detector = skanomaly.AutoencoderDetector("plain", epochs=1, random_state=0).fit(X)
    >>> with skanomaly.io.keep_rows():
    ...     text = pickle.dumps(detector)
    >>> pickle.loads(text).partial_fit(X[:5]).n_samples_seen_
    55
    """
    return keeping("rows")


def save(estimator, path, *, keep_rows=False, notes=None):
    """Save a fitted estimator in a file that holds data and no code.

    Parameters
    ----------
    estimator : estimator
        Detector of skanomaly, meta-estimator around any detector, or a pipeline of scikit-learn
        with them inside.
    path : str or path-like
        File to write, by custom with the ending ``.skops``. It is replaced in one step: whoever
        reads it meanwhile sees the old file or the new one, and a failure leaves the old one.
    keep_rows : bool, default=False
        Whether the file holds training rows (at most 512 for explanations and at most 4096, after
        `partial_fit` 32,768, for what comes next). Without them, the loaded detector needs
        ``background=`` to explain scores, and `partial_fit` refuses.
    notes : dict, default=None
        What else `info` is to tell: texts, numbers, lists and dicts of them.

    Raises
    ------
    ValueError
        If a network has a layer with code inside, such as a Lambda, or of a class that is not
        registered; the layer is named. If a parameter such as ``loss`` is a function that is not
        registered.
    TypeError
        If something else cannot be part of a file.
    ImportError
        If skops is not installed.

    Notes
    -----
    The default `AutoencoderDetector` and `NeuralAnomalyClassifier` compare rows with training rows
    nearby: those are part of the model, standardised, at most 8192 of them. ``recipe="plain"``
    keeps none.

    Functions stay out of the file: ``callbacks`` come back as None, a function given as ``model``
    as the untrained network that it built. The file is a zip archive in the format of `skops.io`,
    so that `skops.io.load` reads it, too.

    Examples
    --------
    >>> import numpy as np
    >>> import skanomaly
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> detector = skanomaly.AutoencoderDetector("plain", epochs=1, random_state=0).fit(X)
    >>> file = getfixture("tmp_path") / "detector.skops"
    >>> skanomaly.io.save(detector, file)
    >>> loaded = skanomaly.io.load(file)
    >>> int((loaded.score_samples(X) != detector.score_samples(X)).sum())  # scores that differ
    0
    """
    skops = import_extra("skops.io", "io", "skanomaly.io")
    with keeping("data", *(["rows"] if keep_rows else [])):
        try:
            content = skops.dumps(estimator, compression=zipfile.ZIP_DEFLATED)
        except (TypeError, NotImplementedError, AttributeError) as error:
            raise TypeError(
                f"{type(estimator).__name__} holds something that cannot be part of a file "
                f"({error}). Expected estimators whose attributes are arrays, numbers and strings."
            ) from error
    _refuse_nameless(content, type(estimator).__name__)
    _container.write(path, content, {**_description(estimator, keep_rows), "notes": notes})


def _refuse_nameless(content, owner):
    """Refuse functions and classes that nobody finds again: lambdas, those inside functions."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        left = [json.loads(archive.read("schema.json"))]
    while left:
        node = left.pop()
        left += node.values() if isinstance(node, dict) else node
        left = [part for part in left if isinstance(part, (dict, list))]
        if not isinstance(node, dict) or node.get("__loader__") not in _BY_NAME:
            continue
        module, name = node["__module__"], node["__class__"]
        if not hasattr(sys.modules.get(module), name):
            raise TypeError(
                f"{owner} holds {name!r} of {module}, which cannot be found again by its name. A "
                "file can name functions and classes at the top of a module, no lambdas and none "
                "that are defined inside a function: define it there by def or class."
            )


def load(path, *, trusted=()):
    """Load what `save` has written; nothing is built before the whole file is checked.

    Parameters
    ----------
    path : str or path-like
        File of `save`.
    trusted : iterable of str, default=()
        Full names of classes and functions of other packages that the file may use, such as
        ``"my_package.MyTransformer"``. Those of skanomaly and the estimators of scikit-learn and
        NumPy need no name; what is compiled inside some of these does, such as the trees of
        neighbours in ``LocalOutlierFactor``: the error lists the names.

    Returns
    -------
    estimator : estimator
        Its scores are those of the estimator saved, to the last bit.

    Raises
    ------
    ValueError
        If the file is damaged or cut off, was not written by `save`, comes from a newer version of
        skanomaly, or uses classes that are not trusted; they are named.
    ImportError
        If skops is not installed, and the file holds more than a detector.

    See Also
    --------
    save : Writes such a file.
    info : Tells what a file holds without loading it.
    """
    content, described = _container.read(path)
    check_version(described.get("skanomaly"), f"the estimator in {path}")
    try:
        with _container.refusing_damage(path, besides=_plain.NotPlainError):
            return _plain.read(content, functools.partial(_plain_estimator, trusted))
    except _plain.NotPlainError:
        return _load_by_skops(path, content, trusted)


def _load_by_skops(path, content, trusted):
    skops = import_extra("skops.io", "io", "skanomaly.io")
    with _container.refusing_damage(path):
        found = set(skops.get_untrusted_types(data=content))
    ours = {name for name in found if _is_harmless(name) or _estimator_of(name)}
    foreign = found - ours - set(trusted)
    if foreign:
        raise ValueError(
            f"{path} uses what skanomaly.io.load does not trust by itself: "
            f"{', '.join(sorted(foreign))}. If you know who wrote the file, pass "
            f"trusted={sorted(foreign)}."
        )
    with _container.refusing_damage(path):
        estimator = skops.loads(content, trusted=sorted(found))
        if _TREE in found:
            _check_trees(estimator)
    return estimator


def _description(estimator, keeps_rows):
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    names = getattr(estimator, "feature_names_in_", None)
    offset = getattr(last, "offset_", None)
    return {
        "skanomaly": skanomaly.__version__,
        "estimator": type(estimator).__name__,
        "saved": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "parameters": str(estimator),
        "n_features_in": getattr(estimator, "n_features_in_", None),
        "feature_names_in": None if names is None else [str(name) for name in names],
        "n_samples_seen": getattr(last, "n_samples_seen_", None),
        "offset": float(offset) if np.ndim(offset) == 0 and offset is not None else None,
        "keeps_rows": keeps_rows,
        "versions": {"python": platform.python_version()} | _versions(),
    }


def _versions():
    names = {"numpy": "numpy", "scikit-learn": "sklearn", "skops": "skops"}
    return {name: importlib.import_module(module).__version__ for name, module in names.items()}


def _estimator_of(name):
    """Return the class that a name stands for if it is an estimator of the package for users."""
    module, _, short = name.rpartition(".")
    if name == _READER:
        return getattr(importlib.import_module(module), short)
    if skanomaly._PUBLIC.get(short) != module:
        return None
    found = getattr(skanomaly, short)
    return found if isinstance(found, type) and issubclass(found, StateMixin) else None


def _is_harmless(name):
    """Tell what cannot do anything: splitters, for one, and our metrics and scorers."""
    if name in _HARMLESS or name.startswith(_SPLITTERS):
        return True
    module, _, short = name.rpartition(".")
    if module not in _OURS:
        return False
    return hasattr(importlib.import_module(module), short)


def _plain_estimator(trusted, name):
    """Return the class that a name stands for if a file of plain parts may hold it."""
    ours = name in trusted and name.startswith("skanomaly.")
    if ours or name == "sklearn.pipeline.Pipeline":
        module, _, short = name.rpartition(".")
        return getattr(importlib.import_module(module), short)
    return _estimator_of(name)


def _check_trees(estimator):
    """Refuse trees of scikit-learn that lead a row out of the tree or round in it."""
    from sklearn.tree._tree import Tree

    left, seen = [estimator], {}
    while left:
        thing = left.pop()
        if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type(None))):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, Tree):
            _check_tree(thing)
        elif isinstance(thing, (list, tuple)):
            left += thing
        elif isinstance(thing, dict):
            left += thing.values()
        elif isinstance(thing, np.ndarray):
            left += thing.ravel().tolist() if thing.dtype == object else []
        else:
            left += getattr(thing, "__dict__", {}).values()


def _check_tree(tree):
    below, own = np.array([tree.children_left, tree.children_right]), np.arange(tree.node_count)
    leaf = (below == -1).all(axis=0)
    inside = (below > own).all(axis=0) & (below < len(own)).all(axis=0)
    inside &= (tree.feature >= 0) & (tree.feature < tree.n_features)
    if not (len(own) and np.all(leaf | inside)):
        raise ValueError(
            "The file holds a tree whose nodes do not point to nodes behind them and to columns "
            "of the rows: it is damaged, or was not written by skanomaly."
        )
