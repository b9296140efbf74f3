"""Whole detectors as ONNX nodes: from rows to scores, decisions and labels.

Owns the outputs and their names, and which detectors can be exported.
"""

import numpy as np

import skanomaly
from skanomaly.io import _export_learners, _export_rows, _export_scores  # noqa: F401
from skanomaly.io._export import export

#: Outputs of a model, in this order: name and type.
OUTPUTS = {"score_samples": np.float64, "decision_function": np.float64, "predict": np.int64}


def add_detector(estimator, graph, X):
    """Add a fitted detector to a graph.

    Parameters
    ----------
    estimator : AutoencoderDetector or NeuralAnomalyClassifier
    graph : skanomaly.io._graph.Graph
    X : str
        Name of rows, double precision.

    Returns
    -------
    outputs : tuple of str
        Names of the scores, decisions and labels.
    """
    _check_kind(estimator)
    missing = graph("IsNaN", X)
    rows = export(estimator._encoder.filler_, graph, X)
    score = graph("Neg", export(estimator._learner, graph, rows, missing))
    seen = graph.sum(graph.cast(graph("Not", missing), np.int64), 1)
    empty = graph("Equal", seen, np.int64(0))
    score = graph("Where", empty, float(estimator._typical_score), score)
    decision = graph("Sub", score, float(estimator.offset_))
    label = graph("Where", graph("Less", decision, 0.0), np.int64(-1), np.int64(1))
    return score, decision, label


def _check_kind(estimator):
    known = (skanomaly.AutoencoderDetector, skanomaly.NeuralAnomalyClassifier)
    name = type(estimator).__name__
    if not isinstance(estimator, known):
        raise TypeError(
            f"{name} cannot be exported to ONNX. What can: AutoencoderDetector, "
            "NeuralAnomalyClassifier, and pipelines with one of them at the end."
        )
    if estimator.is_categorical_ is not None:
        raise TypeError(
            f"{name} with categorical features cannot be exported to ONNX, tables of numbers can. "
            "Encode the categories in a step before it, or save the detector with "
            "skanomaly.io.save."
        )
