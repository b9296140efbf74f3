"""How every part of a detector becomes nodes of an ONNX graph: the door for all exporters.

Owns what to say of a part that has none. An exporter is a function of the part, the graph and the
names of its inputs, registered by the part's class: a new part needs no more than that.
"""

from functools import singledispatch


@singledispatch
def export(part, graph, *inputs):
    """Add what a fitted part computes to a graph.

    Parameters
    ----------
    part : object
        Fitted part of a detector.
    graph : skanomaly.io._graph.Graph
        Gets the nodes.
    *inputs : str
        Names of the part's inputs.

    Returns
    -------
    output : str or tuple of str
        Name of what it gives.

    Raises
    ------
    TypeError
        If the part has no exporter.
    """
    raise TypeError(
        f"{type(part).__name__} cannot be exported to ONNX. What can: AutoencoderDetector with "
        "dense networks and NeuralAnomalyClassifier, on tables of numbers."
    )
