"""Pictures of data, detectors and what they say, in scikit-learn's form.

A display stores what it shows; its class methods ``from_estimator``, ``from_predictions`` and
the like compute that and draw it, and ``plot`` draws it again, on axes of your own if you like.
``ax_`` and ``figure_`` are for everything that matplotlib can do beyond that, which is needed to
draw: ``pip install 'skanomaly[plot]'``.

May import `metrics`, `inspection` and `utils`; no detector and no Keras. Used by users.
"""

from skanomaly.display._comparison import DetectorComparisonDisplay
from skanomaly.display._contributions import ContributionsDisplay
from skanomaly.display._curves import PrecisionRecallDisplay, RocCurveDisplay
from skanomaly.display._networks import LatentDisplay, TrainingCurveDisplay
from skanomaly.display._reconstruction import ReconstructionDisplay
from skanomaly.display._reliability import ReliabilityDisplay
from skanomaly.display._report import Report, report
from skanomaly.display._scores import ScoreDistributionDisplay
from skanomaly.display._series import SeriesDisplay

__all__ = [
    "ContributionsDisplay",
    "DetectorComparisonDisplay",
    "LatentDisplay",
    "PrecisionRecallDisplay",
    "ReconstructionDisplay",
    "ReliabilityDisplay",
    "Report",
    "RocCurveDisplay",
    "ScoreDistributionDisplay",
    "SeriesDisplay",
    "TrainingCurveDisplay",
    "report",
]
