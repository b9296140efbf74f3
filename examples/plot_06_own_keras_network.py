"""
How do I use my own Keras network?
==================================

Any Keras 3 model can do the work: the detector standardises, trains, scores, sets the threshold
and behaves like every other estimator of scikit-learn. Here: a network with skip connections and
layer normalisation, searched over its width by `GridSearchCV`.
"""

# %%
# Write the network
# -----------------
# A function that returns a Keras model. An argument called ``n_features`` is filled in. (Import a
# detector before Keras: it chooses a backend that is installed.)

from functools import partial

from skanomaly import AutoencoderDetector  # isort: skip
import keras


def skipping(n_features, width):
    """Return an autoencoder whose hidden layers add to what they got."""
    rows = keras.layers.Input((n_features,))
    x = keras.layers.Dense(width, activation="silu")(rows)
    code = keras.layers.Dense(4, name="latent")(keras.layers.LayerNormalization()(x))
    back = keras.layers.Dense(width, activation="silu")(code)
    x = keras.layers.Add()([x, back])
    return keras.Model(rows, keras.layers.Dense(n_features)(keras.layers.Dropout(0.3)(x)))


# %%
# Fit it
# ------

from sklearn.datasets import load_breast_cancer

X, y = load_breast_cancer(return_X_y=True)
benign, malignant = X[y == 1], X[y == 0]
detector = AutoencoderDetector(model=partial(skipping, width=32), epochs=60, random_state=0)
detector.fit(benign[:250])
detector.network_.summary(line_length=72)

# %%
# The curve, and the codes
# ------------------------

from skanomaly.display import LatentDisplay, TrainingCurveDisplay

TrainingCurveDisplay.from_estimator(detector)

# %%
# ``encode`` reads the layer called "latent".

LatentDisplay.from_estimator(detector, X, y, anomaly_label=0)

# %%
# Search its width
# ----------------

import pandas as pd
from sklearn.model_selection import GridSearchCV

from skanomaly.metrics import roc_auc_scorer
from skanomaly.model_selection import NormalOnlySplit, StratifiedAnomalyKFold

is_malignant = (y == 0).astype(int)
search = GridSearchCV(
    detector,
    {"model": [partial(skipping, width=width) for width in (8, 64)]},
    scoring=roc_auc_scorer,
    cv=NormalOnlySplit(StratifiedAnomalyKFold(3)),
).fit(X, is_malignant)
pd.DataFrame(
    {
        "width": [model.keywords["width"] for model in search.cv_results_["param_model"]],
        "ROC AUC": search.cv_results_["mean_test_score"].round(3),
    }
)
