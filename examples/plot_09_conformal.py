"""
How sure may I be of an alarm?
==============================

`ConformalDetector` turns the scores of any outlier detector into p-values: how probable it is
that a *normal* row looks at least as strange. From these come decisions with a promise: a rate
of false alarms, or a share of the alarms that may be false.
"""

# %%
# P-values
# --------
# Half of the benign rows train, half calibrate; 57 others and 20 malignant ones are new.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest

from skanomaly import ConformalDetector

X, y = load_breast_cancer(return_X_y=True)
benign = X[y == 1]
new = np.vstack([benign[300:], X[y == 0][:20]])
is_malignant = np.repeat([0, 1], [len(benign) - 300, 20])
conformal = ConformalDetector(
    IsolationForest(random_state=0), calibration_size=0.5, random_state=0
).fit(benign[:300])
p_values = conformal.p_values(new)

fig, ax = plt.subplots()
bins = np.linspace(0, 1, 21)
ax.hist([p_values[is_malignant == 0], p_values[is_malignant == 1]], bins, stacked=True,
        label=["benign", "malignant"])  # fmt: skip
ax.set(xlabel="p-value", ylabel="rows")
_ = ax.legend()

# %%
# Benign rows spread evenly over all p-values, which is what a p-value is; malignant ones crowd
# at the left.
#
# Two kinds of promise
# --------------------
# ``alpha`` is the share of *normal rows* that raise an alarm; ``fdr`` the share of *alarms* that
# are false. Neither needs another fit.

table = {}
for name, options in {
    "alpha = 0.05, each row alone": {"alpha": 0.05},
    "alpha = 0.20, each row alone": {"alpha": 0.20},
    "fdr = 0.20, the batch together": {"fdr": 0.20},
}.items():
    alarm = conformal.set_params(fdr=None).set_params(**options).predict(new) == -1
    table[name] = {
        "alarms": int(alarm.sum()),
        "of them false": int(alarm[is_malignant == 0].sum()),
        "malignant found": f"{int(alarm[is_malignant == 1].sum())} of 20",
    }
pd.DataFrame(table).T

# %%
# Does the promise hold?
# ----------------------
# Over a hundred draws of training, calibration and new rows, the rate of false alarms is that of
# the level, while a quantile of training scores, which is what ``contamination`` sets, breaks
# its promise. A detector with many parameters and few rows, as here, makes that plain.

from sklearn.covariance import EllipticEnvelope

levels = np.array([0.02, 0.05, 0.1, 0.2])
rates = {"p-value at most alpha": [], "quantile of training scores": []}
for seed in range(100):
    rows = np.random.default_rng(seed).permutation(benign[:, :10])
    inner = EllipticEnvelope(support_fraction=1.0, random_state=0)
    fitted = ConformalDetector(inner, calibration_size=0.5, random_state=0).fit(rows[:150])
    p = fitted.p_values(rows[150:])
    rates["p-value at most alpha"].append([(p <= level).mean() for level in levels])
    inner.fit(rows[:75])
    cuts = np.quantile(inner.score_samples(rows[:75]), levels)
    below = inner.score_samples(rows[150:])[:, None] < cuts
    rates["quantile of training scores"].append(below.mean(axis=0))

fig, ax = plt.subplots(figsize=(5.6, 4.2))
for (name, values), marker in zip(rates.items(), "os", strict=True):
    ax.plot(levels, np.mean(values, axis=0), marker=marker, label=name)
ax.plot([0, 0.2], [0, 0.2], color="grey", linestyle="--", linewidth=1)
ax.set(xlabel="promised", ylabel="measured rate of false alarms", xlim=(0, None), ylim=(0, None))
_ = ax.legend()
