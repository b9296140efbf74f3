"""Neural anomaly detection as scikit-learn estimators, on Keras 3.

Importing the package is cheap: Keras and its backend are loaded with the first detector.
"""

import importlib

from skanomaly._version import __version__

_PUBLIC = {
    "AnomalyClassifier": "skanomaly.meta._classifier",
    "AutoencoderDetector": "skanomaly.detectors._autoencoder",
    "ConformalDetector": "skanomaly.meta._conformal",
    "DriftMonitor": "skanomaly.meta._drift",
    "DriftReport": "skanomaly.meta._drift_report",
    "Explanation": "skanomaly.inspection._explain",
    "NeuralAnomalyClassifier": "skanomaly.detectors._classifier",
    "PyODEstimator": "skanomaly.meta._pyod",
    "ThresholdedDetector": "skanomaly.meta._thresholded",
    "WindowedDetector": "skanomaly.meta._windowed",
    "explain": "skanomaly.inspection._explain",
}
#: Modules with names of their own.
_DOORS = (
    "display", "distributed", "inspection", "io", "metrics", "model_selection", "thresholds",
    "utils",
)  # fmt: skip

__all__ = [
    "AnomalyClassifier",
    "AutoencoderDetector",
    "ConformalDetector",
    "DriftMonitor",
    "DriftReport",
    "Explanation",
    "NeuralAnomalyClassifier",
    "PyODEstimator",
    "ThresholdedDetector",
    "WindowedDetector",
    "__version__",
    "explain",
]


def __getattr__(name):
    if name in _PUBLIC:
        try:
            return getattr(importlib.import_module(_PUBLIC[name]), name)
        except ImportError as error:  # a backend is missing: the way there is no news
            raise error.with_traceback(None) from None
    if name in _DOORS:
        return importlib.import_module(f"skanomaly.{name}")
    raise AttributeError(f"module 'skanomaly' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_DOORS])
