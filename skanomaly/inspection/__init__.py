"""Why a row is unusual: shares of its score by feature, for any outlier detector.

May import `utils`; no detector and no Keras. Used by users, and by detectors when asked.
"""

from skanomaly.inspection._explain import Explanation, explain

__all__ = ["Explanation", "explain"]
