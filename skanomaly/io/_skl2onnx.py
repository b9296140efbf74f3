"""Detectors inside pipelines, for skl2onnx.

Owns the registration of the detectors there, and nothing of what they compute.
"""

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

import skanomaly
from skanomaly.io._export_detectors import OUTPUTS, add_detector
from skanomaly.io._graph import OPSET, OPSET_ML, Graph
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
    own = {SimpleImputer: _convert_imputer} if dtype == "float64" else {}
    steps = [(name, step) for name, step in pipeline.steps if step not in (None, "passthrough")]
    try:
        return skl2onnx.convert_sklearn(
            Pipeline(steps),
            name="Pipeline",
            initial_types=[("X", kind([None, steps[0][1].n_features_in_]))],
            target_opset=_VERSIONS,
            custom_conversion_functions=own,
            custom_shape_calculators=dict.fromkeys(own, _imputer_shape),
        )
    except TypeError:  # said by name
        raise
    except Exception as error:  # skl2onnx has a word of its own for each step
        names = [type(step).__name__ for _, step in steps]
        other = "or dtype='float32', for which it knows more steps" if dtype == "float64" else ""
        raise TypeError(
            f"A step of the pipeline {names} cannot be exported to ONNX: skl2onnx says {error}. "
            "The model takes one table without names: columns are told by their places. Try "
            f"places in the place of names, {other or 'or leave the step out'}."
        ) from error


def _imputer_shape(operator):
    columns = len(operator.raw_operator.get_feature_names_out())
    operator.outputs[0].type = type(operator.inputs[0].type)([None, columns])


def _convert_imputer(scope, operator, container):
    """Fill rows of double precision, for which ONNX's own imputer has no implementation."""
    imputer = operator.raw_operator
    filled = imputer.statistics_
    if imputer.add_indicator or not np.isnan(imputer.missing_values) or np.isnan(filled).any():
        raise TypeError(
            f"{imputer} cannot be exported to ONNX in double precision: expected missing values "
            "that are NaN, in columns with at least one value, and no indicator. Pass "
            "dtype='float32'."
        )
    graph = Graph(prefix=f"{operator.full_name}_")
    X = operator.inputs[0].full_name
    filled = graph("Where", graph("IsNaN", X), np.asarray(filled, dtype=np.float64), X)
    _hand_over(graph, operator, [filled], container)


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
    _hand_over(graph, operator, outputs, container)


def _hand_over(graph, operator, outputs, container):
    """Put a graph into skl2onnx' container, as what an operator is to do."""
    for output, variable in zip(outputs, operator.outputs, strict=True):
        node = graph.onnx.helper.make_node("Identity", [output], [variable.full_name])
        graph.nodes.append(node)
    for number, node in enumerate(graph.nodes):
        node.name = f"{operator.full_name}_{number}"
    container.initializers.extend(graph.constants)
    container.nodes.extend(graph.nodes)
    container.node_domain_version_pair_sets.update(_VERSIONS.items())
