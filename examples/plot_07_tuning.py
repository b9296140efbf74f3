"""
How do I tune a detector, with labels and without?
==================================================

Two searches with scikit-learn's own tools. With labels, a scorer of :mod:`skanomaly.metrics`
measures the anomalies. Without any, the reconstruction of held-out rows says how much of the
data a network has understood.
"""

# %%
# With labels
# -----------
# The network trains on normal rows of each fold alone (`NormalOnlySplit`), and is measured on
# normal rows and anomalies of the rest.

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV

from skanomaly import AutoencoderDetector
from skanomaly.metrics import average_precision_scorer
from skanomaly.model_selection import NormalOnlySplit, StratifiedAnomalyKFold

X, y = load_breast_cancer(return_X_y=True)
is_malignant = (y == 0).astype(int)
grid = {"noise": [0.1, 0.3, 1.0], "hidden_layer_sizes": [(32,), (64, 64)]}
search = GridSearchCV(
    AutoencoderDetector("plain", epochs=40, random_state=0),
    grid,
    scoring=average_precision_scorer,
    cv=NormalOnlySplit(StratifiedAnomalyKFold(3, shuffle=True, random_state=0)),
).fit(X, is_malignant)
print(f"best: {search.best_params_}, average precision {search.best_score_:.3f}")
table = pd.DataFrame(search.cv_results_)
table.pivot(
    index="param_noise", columns="param_hidden_layer_sizes", values="mean_test_score"
).round(3)

# %%
# .. admonition:: Not ``scoring="average_precision"``
#
#    scikit-learn's own names measure something else for outlier detectors, see :ref:`why_scorers`.
#
# Without labels
# --------------
# `reconstruction_score` is the share of the variance of new rows that the network rebuilds: it
# needs no label, and finds the size of the inner layer at which nothing more is gained. It
# compares networks of one kind; it does not say how well anomalies are found.

import matplotlib.pyplot as plt

from skanomaly.metrics import reconstruction_scorer

benign = X[y == 1]
by_size = GridSearchCV(
    AutoencoderDetector("plain", epochs=40, random_state=0),
    {"latent_dim": [1, 2, 4, 8, 16]},
    scoring=reconstruction_scorer,
    cv=3,
).fit(benign)
results = pd.DataFrame(by_size.cv_results_)
fig, ax = plt.subplots()
ax.errorbar(
    results["param_latent_dim"].astype(int),
    results["mean_test_score"],
    results["std_test_score"],
    marker="o",
)
ax.set(xscale="log", xticks=[1, 2, 4, 8, 16], xticklabels=[1, 2, 4, 8, 16], xlabel="latent_dim")
ax.set_ylabel("variance of new rows rebuilt")
ax.minorticks_off()
