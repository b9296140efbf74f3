"""Split data with rare anomalies, and compare detectors on the same splits.

Owns: splitters for ``cv=`` that read labels in any coding, and the paired comparison.
Does not own: metrics (`skanomaly.metrics`) or the meaning of labels (``utils._labels``). May
import `metrics` and `utils`; used by meta-estimators and users.
"""

from skanomaly.model_selection._comparison import compare_detectors
from skanomaly.model_selection._split import (
    GroupedAnomalyKFold,
    NormalOnlySplit,
    StratifiedAnomalyKFold,
    TimeOrderedSplit,
)

__all__ = [
    "GroupedAnomalyKFold",
    "NormalOnlySplit",
    "StratifiedAnomalyKFold",
    "TimeOrderedSplit",
    "compare_detectors",
]
