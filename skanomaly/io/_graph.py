"""An ONNX graph under construction: nodes, constants and names.

Owns the spelling of ONNX alone; what is computed is the business of the exporters beside it.
"""

import numpy as np

from skanomaly.utils._extras import import_extra

#: Versions of the operator sets that the nodes are written for.
OPSET, OPSET_ML = 17, 3
#: Constants of at least as many values are worth a look at the digits that they need.
_MANY = 1024


class Graph:
    """Nodes and constants, in the order in which they are computed.

    Values are known by their names. Wherever a node takes a value, a number or an array may stand,
    too: floats become double precision.

    Parameters
    ----------
    prefix : str, default=""
        In front of all names, so that several graphs can be joined.

    Examples
    --------
    >>> from skanomaly.io._graph import Graph
    >>> graph = Graph()
    >>> graph("Mul", "x", 2.0)
    'mul_2'
    """

    def __init__(self, prefix=""):
        self.onnx = import_extra("onnx", "onnx", "skanomaly.io.to_onnx")
        self.prefix, self.nodes, self.constants, self._known = prefix, [], [], {}
        self._n_names = 0

    def __call__(self, operator, *inputs, outputs=1, domain="", **attributes):
        """Add a node; return the name of what it gives, or the names if there are several."""
        inputs = [name if isinstance(name, str) else self.constant(name) for name in inputs]
        names = [self._name(operator) for _ in range(outputs)]
        make = self.onnx.helper.make_node
        self.nodes.append(make(operator, inputs, names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value):
        """Return the name of a constant; equal ones share a place."""
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self._stored(array)
        return self._known[key]

    def _stored(self, array):
        """Store an array, in single precision where that holds its values."""
        if array.dtype == np.float64 and array.size >= _MANY:
            single = array.astype(np.float32)
            if np.array_equal(single, array):
                return self.cast(self._stored(single), np.float64)
        name = self._name("constant")
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def _name(self, kind):
        self._n_names += 1
        return f"{self.prefix}{kind.lower()}_{self._n_names}"

    # ------------------------------------------------------------------ what is often needed

    def cast(self, x, dtype):
        """Return a value as another type."""
        return self("Cast", x, to=self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def clip(self, x, low, high, dtype=np.float64):
        """Return a value within bounds."""
        return self("Clip", x, np.array(low, dtype), np.array(high, dtype))

    def column(self, x, number):
        """Return a column of rows, (n_samples,)."""
        return self("Gather", x, np.int64(number), axis=1)

    def columns(self, x, start, stop):
        """Return columns of rows, side by side."""
        return self("Slice", x, np.array([start]), np.array([stop]), np.array([1]))

    def sum(self, x, axis, keepdims=False):
        """Return sums along an axis."""
        return self("ReduceSum", x, np.array([axis]), keepdims=int(keepdims))

    def mean(self, x, axis, size, keepdims=False):
        """Return means along an axis of a known size, double precision."""
        return self("Div", self.sum(x, axis, keepdims), float(size))

    def reshape(self, x, *shape):
        """Return a value in another shape; 0 keeps an axis, -1 is what is left."""
        return self("Reshape", x, np.array(shape, np.int64))

    def joined(self, *values, axis=1):
        """Return values side by side."""
        return values[0] if len(values) == 1 else self("Concat", *values, axis=axis)

    def average(self, values):
        """Return the mean of values of one shape, double precision."""
        total = values[0]
        for value in values[1:]:
            total = self("Add", total, value)
        return self("Div", total, float(len(values)))
