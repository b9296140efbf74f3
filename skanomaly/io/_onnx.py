"""Fitted detectors as ONNX models: the whole way from rows to scores and labels.

Owns the door: what may come in, the names of inputs and outputs, pipelines. The exporters beside
it know the parts.
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

import skanomaly
from skanomaly.io._export_detectors import OUTPUTS, add_detector
from skanomaly.io._graph import OPSET, OPSET_ML, Graph

#: Version of the format that goes with the operator sets.
_IR_VERSION = 8


def to_onnx(estimator, *, dtype="float64"):
    """Return a fitted detector as an ONNX model.

    Parameters
    ----------
    estimator : AutoencoderDetector, NeuralAnomalyClassifier or Pipeline
        Fitted on a table of numbers, which may have missing values, with dense networks. A
        pipeline with such a detector at its end goes through skl2onnx, which knows most
        transformers of scikit-learn.
    dtype : {"float64", "float32"}, default="float64"
        Type of the rows that the model takes. Single precision is enough unless numbers differ in
        their eighth digit only.

    Returns
    -------
    model : onnx.ModelProto
        Its input "X" are rows (any number, n_features), NaN for missing values. Its outputs
        "score_samples" and "decision_function" (double precision) and "predict" (int64, +1 for
        normal rows, -1 for anomalies) have one value a row. Write it with
        ``onnx.save(model, path)``.

    Raises
    ------
    TypeError
        If the estimator, or a part of it, cannot be exported; it is named.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ImportError
        If onnx, or for a pipeline skl2onnx, is not installed.

    See Also
    --------
    register_skl2onnx : For pipelines and column transformers converted by skl2onnx itself.

    Notes
    -----
    Scores agree with the estimator's within 1e-4 relative, where they are not almost zero.
    Infinite values, which the estimator refuses, are not checked. The default recipes compare each
    row with up to 8192 training rows: a batch takes about 64 kB of memory a row.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime
    >>> import skanomaly
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> detector = skanomaly.AutoencoderDetector("plain", epochs=1, random_state=0).fit(X)
    >>> model = skanomaly.io.to_onnx(detector)
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> scores, decisions, labels = session.run(None, {"X": X})
    >>> print(f"{abs(np.ravel(scores) / detector.score_samples(X) - 1).max():.3f}")
    0.000
    """
    if str(dtype) not in ("float64", "float32"):
        raise ValueError(f"dtype must be 'float64' or 'float32', got {dtype!r}.")
    check_is_fitted(estimator)
    if hasattr(estimator, "steps"):
        from skanomaly.io._skl2onnx import pipeline_to_onnx

        return pipeline_to_onnx(estimator, str(dtype))
    graph = Graph()
    outputs = add_detector(estimator, graph, graph.cast("X", np.float64))
    for name, output in zip(OUTPUTS, outputs, strict=True):
        node = graph.onnx.helper.make_node("Identity", [output], [name])
        graph.nodes.append(node)
    return _model(estimator, graph, np.dtype(str(dtype)))


def _model(estimator, graph, dtype):
    """Return the model around a graph, checked."""
    helper = graph.onnx.helper
    number = helper.np_dtype_to_tensor_dtype
    rows = [None, estimator.n_features_in_]
    inputs = [helper.make_tensor_value_info("X", number(dtype), rows)]
    outputs = [
        helper.make_tensor_value_info(name, number(np.dtype(kind)), [None])
        for name, kind in OUTPUTS.items()
    ]
    made = helper.make_graph(
        graph.nodes, type(estimator).__name__, inputs, outputs, graph.constants
    )
    versions = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)]
    model = helper.make_model(
        made, opset_imports=versions, ir_version=_IR_VERSION, producer_name="skanomaly",
        producer_version=skanomaly.__version__,
    )  # fmt: skip
    graph.onnx.checker.check_model(model)
    return model
