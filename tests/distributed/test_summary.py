"""What is worked out of one partition, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skanomaly.distributed._summary import count_rows, labels_of, merged, summarise

X = np.random.default_rng(0).normal(size=(4000, 2))


def test_quartiles_come_from_the_sample_within_the_error_that_is_stated():
    summary = merged([summarise(part, None, None, 500) for part in np.split(X, 4)])
    assert summary.n_rows == 4000
    assert summary.rank_error() == pytest.approx(0.0728, abs=1e-3)
    table = summary.table(["a", "b"])
    for j, name in enumerate(["a", "b"]):
        ranks = [(X[:, j] <= table.loc[name, q]).mean() for q in ("25%", "50%", "75%")]
        assert_allclose(ranks, [0.25, 0.5, 0.75], atol=summary.rank_error())


def test_quartiles_are_exact_where_all_rows_are_kept():
    summary = summarise(X, None, None, 5000)
    assert summary.rank_error() == 0
    assert_allclose(summary.table(["a", "b"])["50%"], np.median(X, axis=0))


def test_quartiles_do_not_follow_labels_that_are_kept_more_often():
    labels = np.where(np.arange(4000) < 100, 1, 0)
    shifted = X + 100.0 * labels[:, None]
    summary = summarise(shifted, labels, None, 200)
    assert_allclose(summary.table(["a", "b"])["50%"], np.median(X, axis=0), atol=0.3)


def test_rows_are_counted_by_label_and_weight():
    rows = np.array([[1.0], [1.0], [1.0], [2.0]])
    hashes = summarise(rows, None, None, 9).sample.samples[None].hashes
    one = summarise(rows[:1], None, None, 9).sample.samples[None].hashes
    assert len(hashes) == 2
    counted = count_rows(rows, [0, 0, 1, 0], [1, 2, 1, 1], {0: one})
    assert counted.samples[0].counts.tolist() == [3]
    assert 1 not in counted.samples


def test_missing_labels_are_none_in_any_spelling():
    labels = labels_of(pd.Series([1, None, np.nan, pd.NA, "a"], dtype=object))
    assert labels.tolist() == [1, None, None, None, "a"]


def test_infinite_values_are_refused_by_name():
    with pytest.raises(ValueError, match="the column 'b' holds infinite values"):
        summarise(pd.DataFrame({"a": [1.0], "b": [np.inf]}), None, None, 9)


def test_a_target_of_regression_is_no_label():
    with pytest.raises(ValueError, match="y holds 4000 different values"):
        summarise(X, X[:, 0], None, 9)


@pytest.mark.parametrize("weight", [[-1.0, 1.0], [np.nan, 1.0], [1.0]])
def test_unusable_weights_are_refused(weight):
    with pytest.raises(ValueError, match="sample_weight"):
        summarise(X[:2], None, weight, 9)
