"""
Why is this row an anomaly?
===========================

`explain` shares a row's anomaly score out among its features, and says which values would have
been normal. It works for every outlier detector with scikit-learn's interface.
"""

# %%
# A row with two wrong values
# ---------------------------

from sklearn.datasets import load_breast_cancer

from skanomaly import AutoencoderDetector

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
benign = X[y == 1]
detector = AutoencoderDetector(random_state=0).fit(benign[:250])
wrong = benign[253:254].copy()
wrong["mean texture"] += 22
wrong["smoothness error"] *= 4

explanation = detector.explain(wrong)
explanation

# %%
# As a table
# ----------
# Shares and ``base`` add up to the row's score.

total = explanation.contributions.sum(axis=1) + explanation.base
print(f"shares and base: {total.iloc[0]:.3f}, score: {explanation.score.iloc[0]:.3f}")
explanation.top(4).round(3)

# %%
# As a picture
# ------------

from skanomaly.display import ContributionsDisplay

ContributionsDisplay.from_estimator(detector, wrong, k=8)

# %%
# Another detector
# ----------------
# A forest of scikit-learn's, asked in the same way, given rows to compare with.

from sklearn.ensemble import IsolationForest

from skanomaly import explain

forest = IsolationForest(random_state=0).fit(benign[:250])
explain(forest, wrong, background=benign[:250]).top(4).round(3)

# %%
# Which features do the malignant tumours stand out by?
# -----------------------------------------------------
# The mean of many rows' shares tells what the anomalies have in common.

import matplotlib.pyplot as plt

malignant = X[y == 0].sample(30, random_state=0)
shares = detector.explain(malignant).contributions.mean().nlargest(10)[::-1]
fig, ax = plt.subplots(figsize=(6.8, 4))
ax.barh(shares.index, shares)
_ = ax.set(xlabel="mean share of the anomaly score, 30 malignant tumours")
