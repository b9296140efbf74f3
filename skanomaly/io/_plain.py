"""The plain part of skops' format: containers, numbers, text, arrays, and our own estimators.

Owns reading that part, which is all there is in a detector's file. It spares a process that scores
the import of skops, and of all of scikit-learn with it: a second and a half of the five that such
a process took to its first score. Files with anything else in them are left to skops.
"""

import io
import json
import zipfile

import numpy as np


class NotPlainError(Exception):
    """A file holds more than the plain part of the format."""


def read(content, estimator_of):
    """Build what an archive of skops holds.

    Parameters
    ----------
    content : bytes
        The archive.
    estimator_of : callable
        Function of a class's full name that returns the class, or None if it is not to be built.

    Returns
    -------
    thing : object

    Raises
    ------
    NotPlainError
        If the archive holds anything else. Nothing is built then.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
        _check(schema, estimator_of)
        return _Reader(archive, estimator_of).build(schema)


def _check(node, estimator_of):
    """Refuse nodes other than those of the plain part, wherever they are."""
    parts = _parts(node, estimator_of)
    if parts is None:
        raise NotPlainError(f"{node['__module__']}.{node['__class__']}")
    for part in parts:
        _check(part, estimator_of)


def _parts(node, estimator_of):
    """Return the nodes below a node, or None if it is not plain."""
    loader, name = node["__loader__"], f"{node['__module__']}.{node['__class__']}"
    if loader == "ObjectNode":
        return None if estimator_of(name) is None else [node["content"]]
    if _KINDS.get(loader) != name:
        return None
    if loader == "DictNode":
        keys = {f"{key['__module__']}.{key['__class__']}" for key in node["key_types"]["content"]}
        return node["content"].values() if keys <= {"builtins.str"} else None
    if loader == "NdArrayNode":
        return () if node["type"] == "numpy" else _column(node)
    return () if loader == "JsonNode" else node["content"]


def _column(node):
    """Return the nodes in an array of objects with one axis."""
    shape = node["shape"]["content"] if node["type"] == "json" else ()
    return node["content"] if len(shape) == 1 else None


#: The one class that each kind of node may be of.
_KINDS = {
    "DictNode": "builtins.dict",
    "JsonNode": "builtins.str",
    "ListNode": "builtins.list",
    "NdArrayNode": "numpy.ndarray",
    "TupleNode": "builtins.tuple",
}


class _Reader:
    """Builds checked nodes, each of them once."""

    def __init__(self, archive, estimator_of):
        self.archive, self.estimator_of, self.built = archive, estimator_of, {}
        self.builders = {
            "DictNode": self._dict,
            "JsonNode": lambda node: json.loads(node["content"]),
            "ListNode": self._list,
            "NdArrayNode": self._array,
            "ObjectNode": self._estimator,
            "TupleNode": lambda node: tuple(self._list(node)),
        }

    def build(self, node):
        """Return what a node stands for; the same object for the same node."""
        number, builder = node["__id__"], self.builders[node["__loader__"]]
        if number not in self.built:
            self.built[number] = builder(node)
        return self.built[number]

    def _list(self, node):
        return [self.build(part) for part in node["content"]]

    def _dict(self, node):
        return {key: self.build(part) for key, part in node["content"].items()}

    def _array(self, node):
        if node["type"] == "numpy":
            data = io.BytesIO(self.archive.read(node["file"]))
            return np.load(data, allow_pickle=False)
        array = np.empty(len(node["content"]), dtype=object)
        array[:] = self._list(node)
        return array

    def _estimator(self, node):
        estimator = object.__new__(self.estimator_of(f"{node['__module__']}.{node['__class__']}"))
        estimator.__setstate__(self.build(node["content"]))
        return estimator
