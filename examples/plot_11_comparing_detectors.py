"""
Which detector is better on my data, or is it luck?
===================================================

`compare_detectors` fits all detectors to the same splits and tests whether the lead of the best
one may be luck.
"""

# %%
# Detectors
# ---------
# Any outlier detector takes part: scikit-learn's, this package's, PyOD's newer ones.

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skanomaly import AutoencoderDetector

detectors = {
    "AutoencoderDetector": AutoencoderDetector(random_state=0),
    "plain autoencoder": AutoencoderDetector("plain", epochs=50, random_state=0),
    "IsolationForest": IsolationForest(random_state=0),
    "LocalOutlierFactor": make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)),
    "OneClassSVM": make_pipeline(StandardScaler(), OneClassSVM()),
}

# %%
# Compare
# -------
# They train on normal rows alone and are tested on normal rows and anomalies, in ten splits. The
# p-value says how easily the lead of the best one may be luck, given that training sets overlap.

from skanomaly.model_selection import NormalOnlySplit, StratifiedAnomalyKFold, compare_detectors

X, y = load_breast_cancer(return_X_y=True)
folds = StratifiedAnomalyKFold(10, shuffle=True, random_state=0, anomaly_label=0)
results = compare_detectors(
    detectors,
    X,
    y,
    cv=NormalOnlySplit(folds, anomaly_label=0),
    scoring="roc_auc",
    anomaly_label=0,
)
results.round(3)

# %%
# Means
# -----
# Hollow dots are beaten significantly by the best one.

from skanomaly.display import DetectorComparisonDisplay

DetectorComparisonDisplay.from_results(results, kind="means")

# %%
# Ranks
# -----
# Bars join detectors whose mean ranks do not differ significantly. With few splits that is most of
# them: a reason to be modest.

DetectorComparisonDisplay.from_results(results)
