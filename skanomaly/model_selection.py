"""Split data with rare anomalies, and compare detectors on the same splits.

Owns: splitters for ``cv=`` that read labels in any coding, and the paired comparison.
Does not own: metrics (`skanomaly.metrics`) or the meaning of labels (``_labels``). This is the
public door to ``_splitters`` and ``_comparison``.
"""

from skanomaly._comparison import compare_detectors, plot_comparison
from skanomaly._splitters import (
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
    "plot_comparison",
]
