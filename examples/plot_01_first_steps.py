"""
How do I find anomalies in a table?
===================================

The shortest complete job: learn from rows that are normal, look at scores and threshold, and see
which new rows are anomalies. The data are scikit-learn's breast cancer measurements: benign
tumours are the normal rows, malignant ones the anomalies.
"""

# %%
# Learn
# -----
# The detector sees 250 benign tumours. It gets no labels, and no scaling is needed before it.

import pandas as pd
from sklearn.datasets import load_breast_cancer

from skanomaly import AutoencoderDetector

X, y = load_breast_cancer(return_X_y=True, as_frame=True)  # 0 is malignant, 1 is benign
benign, malignant = X[y == 1], X[y == 0]
detector = AutoencoderDetector(random_state=0).fit(benign[:250])

# %%
# Predict
# -------
# ``predict`` answers -1 for an anomaly and +1 for a normal row, as in all of scikit-learn.

new = pd.concat([benign[250:], malignant])
diagnosis = pd.Series(["benign"] * 107 + ["malignant"] * 212, index=new.index, name="diagnosis")
answer = pd.Series(detector.predict(new), index=new.index, name="predict")
pd.crosstab(diagnosis, answer)

# %%
# Look at the scores
# ------------------
# ``score_samples`` is higher for more normal rows; ``offset_`` is the threshold that ``fit`` has
# set.

from skanomaly.display import ScoreDistributionDisplay

ScoreDistributionDisplay.from_estimator(detector, new, diagnosis, anomaly_label="malignant")

# %%
# How good is it?
# ---------------
# The metrics of :mod:`skanomaly.metrics` measure the *anomaly* class, whatever the labels are
# called.

from skanomaly.metrics import anomaly_report

scores = detector.score_samples(new)
print(anomaly_report(diagnosis, answer, scores, anomaly_label="malignant", digits=2))

# %%
# Which rows are the strangest?

strangest = new.assign(score=scores, diagnosis=diagnosis).nsmallest(5, "score")
strangest[["score", "diagnosis", "mean radius", "mean texture", "worst area"]].round(1)
