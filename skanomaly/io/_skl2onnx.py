"""Detectors inside pipelines, for skl2onnx.

Owns the registration of the detectors there, and nothing of what they compute.
"""

import numpy as np

import skanomaly
from skanomaly.io._graph import OPSET, OPSET_ML, Graph
from skanomaly.io._onnx import OUTPUTS, add_detector
from skanomaly.utils._extras import import_extra

_VERSIONS = {"": OPSET, "ai.onnx.ml": OPSET_ML}


def register_skl2onnx():
    """Make skl2onnx know the detectors, for pipelines and whatever else it converts.

    `to_onnx` does so by itself. It is safe to call more than once.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import skl2onnx
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import skanomaly
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> detector = skanomaly.AutoencoderDetector("plain", epochs=1, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), detector).fit(X)
    >>> skanomaly.io.register_skl2onnx()
    >>> model = skl2onnx.to_onnx(pipeline, X[:1])
    >>> [output.name for output in model.graph.output]
    ['score_samples', 'decision_function', 'predict']
    """
    skl2onnx = import_extra("skl2onnx", "onnx", "skanomaly.io.register_skl2onnx")
    for name in ("AutoencoderDetector", "NeuralAnomalyClassifier"):
        skl2onnx.update_registered_converter(
            getattr(skanomaly, name), f"Skanomaly{name}", _check_inputs, _convert, parser=_parse
        )


def pipeline_to_onnx(pipeline, dtype):
    """Return a fitted pipeline with a detector at its end as an ONNX model."""
    skl2onnx = import_extra("skl2onnx", "onnx", "skanomaly.io.to_onnx of a pipeline")
    from skl2onnx.common import data_types

    register_skl2onnx()
    kind = {"float64": data_types.DoubleTensorType, "float32": data_types.FloatTensorType}[dtype]
    try:
        return skl2onnx.convert_sklearn(
            pipeline,
            name="Pipeline",
            initial_types=[("X", kind([None, pipeline.n_features_in_]))],
            target_opset=_VERSIONS,
        )
    except skl2onnx.common.exceptions.MissingShapeCalculator as error:
        steps = [type(step).__name__ for _, step in pipeline.steps]
        raise TypeError(
            f"A step of the pipeline {steps} cannot be exported to ONNX: skl2onnx says {error}"
        ) from error


def _parse(scope, model, inputs, custom_parsers=None):
    """Declare a detector and its outputs."""
    from skl2onnx.common import data_types

    operator = scope.declare_local_operator(f"Skanomaly{type(model).__name__}", model)
    operator.inputs = inputs
    kinds = {np.float64: data_types.DoubleTensorType, np.int64: data_types.Int64TensorType}
    for name, kind in OUTPUTS.items():
        operator.outputs.append(scope.declare_local_variable(name, kinds[kind]([None])))
    return operator.outputs


def _check_inputs(operator):
    if len(operator.inputs) != 1:
        raise TypeError(
            f"{type(operator.raw_operator).__name__} takes one table, got "
            f"{len(operator.inputs)} inputs. Join the columns in a ColumnTransformer before it."
        )


def _convert(scope, operator, container):
    """Add a detector's nodes and constants to skl2onnx' container."""
    graph = Graph(prefix=f"{operator.full_name}_")
    X = graph.cast(operator.inputs[0].full_name, np.float64)
    outputs = add_detector(operator.raw_operator, graph, X)
    for output, variable in zip(outputs, operator.outputs, strict=True):
        node = graph.onnx.helper.make_node("Identity", [output], [variable.full_name])
        graph.nodes.append(node)
    for number, node in enumerate(graph.nodes):
        node.name = f"{operator.full_name}_{number}"
    container.initializers.extend(graph.constants)
    container.nodes.extend(graph.nodes)
    container.node_domain_version_pair_sets.update(_VERSIONS.items())
