"""
How do I find unusual images?
=============================

A convolutional autoencoder learns what images have in common; what it cannot rebuild is new. It
sees the digits 1 to 9 of scikit-learn's 8 by 8 images, and then meets zeros.
"""

# %%
# Train
# -----
# Pixels share one scale, so ``standardize=False`` leaves them alone; dividing by their standard
# deviation sets the scale of the noise that the network learns to remove.

import numpy as np
from sklearn.datasets import load_digits

from skanomaly import AutoencoderDetector

X, digit = load_digits(return_X_y=True)
X /= X.std()
known, zeros = X[digit != 0], X[digit == 0]
detector = AutoencoderDetector(
    architecture="conv2d", standardize=False, max_steps=400, random_state=0
).fit(known[:1200])

# %%
# Score images it has not seen

from skanomaly.display import RocCurveDisplay

rest = np.vstack([known[1200:], zeros])
is_zero = np.repeat([0, 1], [len(known) - 1200, len(zeros)])
RocCurveDisplay.from_estimator(detector, rest, is_zero)

# %%
# See what it expected
# --------------------
# Image, reconstruction and difference: the three becomes a three, the zero something else.

from skanomaly.display import ReconstructionDisplay

shown = np.vstack([known[1200:][digit[digit != 0][1200:] == 3][:1], zeros[:2]])
ReconstructionDisplay.from_estimator(detector, shown, kind="image")

# %%
# Which known digits does it take for the strangest?
# --------------------------------------------------
# Often those that a reader would not be sure of, either.

import matplotlib.pyplot as plt

scores = detector.score_samples(known[1200:])
names = digit[digit != 0][1200:]
fig, axes = plt.subplots(1, 8, figsize=(7.2, 1.4))
for ax, k in zip(axes, scores.argsort()[:8], strict=True):
    ax.imshow(known[1200:][k].reshape(8, 8), cmap="Greys")
    ax.set(xticks=[], yticks=[], title=f"a {names[k]}")
