"""Pictures of data, detectors and what they say, in scikit-learn's form.

A display stores what it shows; its class methods ``from_estimator``, ``from_predictions`` and
the like compute that and draw it, and ``plot`` draws it again, on axes of your own if you like.
``ax_`` and ``figure_`` are for everything that matplotlib can do beyond that, which is needed to
draw: ``pip install 'skanomaly[plot]'``.

This is the public door to the rooms ``_display_*``.
"""

from skanomaly._display_comparison import DetectorComparisonDisplay
from skanomaly._display_contributions import ContributionsDisplay
from skanomaly._display_curves import PrecisionRecallDisplay, RocCurveDisplay
from skanomaly._display_networks import LatentDisplay, TrainingCurveDisplay
from skanomaly._display_reconstruction import ReconstructionDisplay
from skanomaly._display_reliability import ReliabilityDisplay
from skanomaly._display_scores import ScoreDistributionDisplay

__all__ = [
    "ContributionsDisplay",
    "DetectorComparisonDisplay",
    "LatentDisplay",
    "PrecisionRecallDisplay",
    "ReconstructionDisplay",
    "ReliabilityDisplay",
    "RocCurveDisplay",
    "ScoreDistributionDisplay",
    "TrainingCurveDisplay",
]
