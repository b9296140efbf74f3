"""
How do I find fraud with only a few labels?
===========================================

Somebody has looked at a handful of records and found a few forgeries; nobody has looked at the
rest. A model that takes "not looked at" for "genuine" learns the wrong thing.
`NeuralAnomalyClassifier` takes rows without a label for what they are.

Card transactions cannot be shipped with a package, so handwriting stands in: scans of digits, in
which eights play the forgeries. They are rare, of many hands, and look much like genuine threes
and nines.
"""

# %%
# Records, and forgeries among them
# ---------------------------------

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

X, digit = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
kept = np.r_[np.flatnonzero(digit != 8), np.flatnonzero(digit == 8)[:100]]
kept = rng.permutation(np.sort(kept))
X, forged = X[kept], digit[kept] == 8
X_train, X_test, test_forged = X[:1100], X[1100:], forged[1100:]
print(f"{forged.mean():.1%} of {len(X)} records are forged")

# %%
# Few labels
# ----------
# Of 1,100 records for training, 8 forgeries and 60 genuine records have been looked at.

is_forged = forged[:1100]
seen = np.r_[np.flatnonzero(is_forged)[:8], np.flatnonzero(~is_forged)[:60]]
labels = np.full(1100, None, dtype=object)
labels[seen] = np.where(is_forged[seen], "forged", "genuine")
pd.Series(labels).value_counts(dropna=False)

# %%
# Four ways
# ---------
# No labels at all; a forest that takes all other rows for genuine; a forest that sees the 68
# labelled rows alone; and a classifier that takes all other rows for *unknown*.

from sklearn.ensemble import RandomForestClassifier

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.metrics import average_precision_score, precision_at_n_score, roc_auc_score

unlabelled = AutoencoderDetector(random_state=0).fit(X_train)
rest_genuine = RandomForestClassifier(random_state=0).fit(X_train, labels == "forged")
labelled_alone = RandomForestClassifier(random_state=0).fit(X_train[seen], is_forged[seen])
classifier = NeuralAnomalyClassifier(anomaly_label="forged", random_state=0)
classifier.fit(X_train, labels)

scores = {
    "no labels: AutoencoderDetector": unlabelled.score_samples(X_test),
    "rest genuine: RandomForest": -rest_genuine.predict_proba(X_test)[:, 1],
    "labelled rows alone: RandomForest": -labelled_alone.predict_proba(X_test)[:, 1],
    "rest unknown: NeuralAnomalyClassifier": classifier.score_samples(X_test),
}
pd.DataFrame(
    {
        name: {
            "ROC AUC": roc_auc_score(test_forged, values),
            "average precision": average_precision_score(test_forged, values),
            "precision at n": precision_at_n_score(test_forged, values),
        }
        for name, values in scores.items()
    }
).T.round(2)

# %%
# Precision against recall
# ------------------------
# The list is read from the strangest record: the share of forgeries among the records looked at so
# far, against the share of all forgeries found.

import matplotlib.pyplot as plt

from skanomaly.display import PrecisionRecallDisplay

fig, ax = plt.subplots(figsize=(6.4, 4.6))
for name, values in scores.items():
    PrecisionRecallDisplay.from_predictions(test_forged, values, name=name, ax=ax)
_ = ax.legend(loc="upper right", fontsize="small")

# %%
# Without labels an eight is no anomaly at all: there is nothing strange about it but that
# somebody says so. Eight labels are enough to say so, as long as the silence of the others is
# not taken for an answer.
