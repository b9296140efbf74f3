"""Score a table on Spark: the detector is sent once to each worker, not with each batch."""

import pandas as pd


def scorer(detector):
    """Return the function that `DataFrame.mapInPandas` wants, around a fitted detector.

    Spark pickles the function, and with it the detector, once for each task; `broadcast` sends it
    once for each worker instead.
    """

    def score(batches):
        fitted = detector.value if hasattr(detector, "value") else detector
        for rows in batches:
            yield pd.DataFrame({"score": fitted.score_samples(rows)})

    return score


def score_on_spark(spark, detector, table):
    """Return a Spark table of scores, in the order of the rows of each partition."""
    sent = spark.sparkContext.broadcast(detector)
    return table.mapInPandas(scorer(sent), schema="score double")
