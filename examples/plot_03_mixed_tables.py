"""
How do I find anomalies in a table with categories and holes?
=============================================================

Real tables mix numbers and text, and have holes. Both detectors take them as they are: no encoder,
no imputer. Here: penguins, with one record in which the species does not fit the bird.
"""

# %%
# The table
# ---------

from palmerpenguins import load_penguins

penguins = load_penguins().drop(columns="year")
print(penguins.isna().sum())
penguins.head()

# %%
# Three records are made wrong. A chinstrap that lives on another island than all chinstraps; a
# bird of twice its weight; and a Gentoo's flippers on an Adelie. Only the second one has a value
# that is unusual by itself.

wrong = penguins.copy()
wrong.loc[300, "island"] = "Torgersen"
wrong.loc[20, "body_mass_g"] *= 2
wrong.loc[50, "flipper_length_mm"] = 221
made_wrong = [300, 20, 50]
wrong.loc[made_wrong]

# %%
# Fit and look
# ------------
# Text columns are categories by themselves; ``is_categorical_`` says which.

from skanomaly import AutoencoderDetector

detector = AutoencoderDetector(random_state=0).fit(wrong)
print("categories:", ", ".join(wrong.columns[detector.is_categorical_]))
ranks = detector.score_samples(wrong).argsort().argsort() + 1
print("rank among", len(wrong), "records:", {row: int(ranks[row]) for row in made_wrong})

# %%
# Why?
# ----
# ``explain`` shares each score out among the columns, with the value to be expected.

detector.explain(wrong.loc[made_wrong]).top(2).round(2)

# %%
# A value that nobody has seen
# ----------------------------
# An unknown category is evidence, not an error; a missing one is neither.

unseen = penguins.loc[[10, 10, 10]].copy()
unseen["island"] = ["Torgersen", "Atlantis", None]
unseen.assign(score=detector.score_samples(unseen))[["species", "island", "score"]].round(2)
