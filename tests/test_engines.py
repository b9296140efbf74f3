"""The recipes for Spark and Ray in the documentation."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

FOLDER = Path(__file__).parents[1] / "docs" / "examples"
if not FOLDER.is_dir():
    pytest.skip("needs the repository, not the package", allow_module_level=True)
sys.path.append(str(FOLDER))
import score_on_ray as on_ray  # noqa: E402
import score_on_spark as on_spark  # noqa: E402

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))


@pytest.fixture(scope="module")
def forest():
    return IsolationForest(n_estimators=5, random_state=0).fit(FRAME)


def test_batches_are_scored_as_the_whole_is(forest):
    expected = forest.score_samples(FRAME)
    parts = on_spark.scorer(forest)(iter([FRAME[:40], FRAME[40:]]))
    assert np.array_equal(pd.concat(parts)["score"], expected)
    sent = pickle.loads(pickle.dumps(on_ray.Scorer(forest)))
    assert np.array_equal(sent(FRAME)["score"], expected)


def test_spark_scores_a_table(forest):
    sql = pytest.importorskip("pyspark.sql", reason="Spark is not installed")
    spark = sql.SparkSession.builder.master("local[1]").getOrCreate()
    try:
        scores = on_spark.score_on_spark(spark, forest, spark.createDataFrame(FRAME).coalesce(1))
        assert np.array_equal(scores.toPandas()["score"], forest.score_samples(FRAME))
    finally:
        spark.stop()


def test_ray_scores_a_data_set(forest):
    data = pytest.importorskip("ray.data", reason="Ray is not installed")
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        scored = on_ray.score_on_ray(ray, forest, data.from_pandas(FRAME), 1).to_pandas()
        assert np.allclose(np.sort(scored["score"]), np.sort(forest.score_samples(FRAME)))
    finally:
        ray.shutdown()
