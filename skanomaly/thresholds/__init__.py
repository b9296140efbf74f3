"""From scores to decisions: rules that find a threshold, for any outlier detector.

Owns: the rules, and ``set_threshold``, which applies them to a fitted detector. May import
`utils`; used by learners, detectors and meta-estimators, and by users. Scores are those of
``score_samples`` or ``decision_function`` of scikit-learn's outlier detectors: **higher is more
normal**, and rows with ``score < threshold`` are anomalies.

`skanomaly.ThresholdedDetector` applies these rules around a detector, by name, and
``set_threshold`` of every detector of the package changes its threshold without a refit.
"""

from skanomaly.thresholds._budget import alert_budget_threshold
from skanomaly.thresholds._labelled import (
    cost_threshold,
    f1_threshold,
    precision_threshold,
    recall_threshold,
)
from skanomaly.thresholds._unlabelled import (
    contamination_threshold,
    fpr_threshold,
    pot_threshold,
    robust_threshold,
)

__all__ = [
    "alert_budget_threshold",
    "contamination_threshold",
    "cost_threshold",
    "f1_threshold",
    "fpr_threshold",
    "pot_threshold",
    "precision_threshold",
    "recall_threshold",
    "robust_threshold",
]
