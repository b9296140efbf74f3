"""How good a detector is: metrics of the anomaly class, and scorers for ``scoring=``.

Owns: metrics with labels in any coding, criteria without labels, and the objects that
``GridSearchCV``, ``cross_validate`` and `skanomaly.model_selection.compare_detectors` take.
Does not own: the meaning of labels (``utils._labels``), thresholds, pictures. May import `utils`;
used by `skanomaly.model_selection`, `skanomaly.display` and users.

Two conventions hold everywhere. Scores are those of ``score_samples`` or ``decision_function``
of scikit-learn's outlier detectors: **higher is more normal**, so nobody has to flip a sign.
The class that is measured is the **anomaly**. Rows without a label are left out.
"""

from skanomaly.metrics._events import (
    event_report,
    onset_delay,
    range_f1_score,
    range_precision_score,
    range_recall_score,
    vus_pr_score,
    vus_roc_score,
)
from skanomaly.metrics._labelled import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_at_n_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from skanomaly.metrics._report import anomaly_report
from skanomaly.metrics._scorer import anomaly_scorer
from skanomaly.metrics._unlabelled import excess_mass_score, mass_volume_loss, reconstruction_score

__all__ = [
    "anomaly_report",
    "anomaly_scorer",
    "average_precision_score",
    "average_precision_scorer",
    "balanced_accuracy_score",
    "balanced_accuracy_scorer",
    "event_report",
    "excess_mass_score",
    "excess_mass_scorer",
    "f1_score",
    "f1_scorer",
    "mass_volume_loss",
    "matthews_corrcoef",
    "matthews_corrcoef_scorer",
    "neg_mass_volume_scorer",
    "onset_delay",
    "precision_at_n_score",
    "precision_at_n_scorer",
    "precision_score",
    "precision_scorer",
    "range_f1_score",
    "range_precision_score",
    "range_recall_score",
    "recall_score",
    "recall_scorer",
    "reconstruction_score",
    "reconstruction_scorer",
    "roc_auc_score",
    "roc_auc_scorer",
    "vus_pr_score",
    "vus_roc_score",
]
roc_auc_scorer = anomaly_scorer("roc_auc")
average_precision_scorer = anomaly_scorer("average_precision")
precision_at_n_scorer = anomaly_scorer("precision_at_n")
f1_scorer = anomaly_scorer("f1")
precision_scorer = anomaly_scorer("precision")
recall_scorer = anomaly_scorer("recall")
balanced_accuracy_scorer = anomaly_scorer("balanced_accuracy")
matthews_corrcoef_scorer = anomaly_scorer("matthews_corrcoef")
excess_mass_scorer = anomaly_scorer("excess_mass")
neg_mass_volume_scorer = anomaly_scorer("neg_mass_volume")
reconstruction_scorer = anomaly_scorer("reconstruction")
