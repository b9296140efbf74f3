"""Which columns are labels and features, and why the others are not."""

import re

import numpy as np
import pandas as pd
import pytest
from command_line import FITS, assert_refused, numbers, read, write

from skanomaly.cli import _training

LABELS = {
    "absent": (["--label", "labels"], "did you mean 'label'?"),
    "one class": (["--label", "one"], "labels 0"),
    "one anomaly": (["--label", "single"], "labels 1"),
    "nothing labelled": (["--label", "none"], "labels 0"),
    "all anomalies": (["--label", "all"], "2 normal rows"),
    "a measurement": (["--label", "a"], "different values"),
    "no such value": (["--label", "label", "--anomaly-label", "7"], "no value '7'"),
    "infinite": (["--label", "infinite"], "finite"),
}


@pytest.mark.parametrize("case", LABELS)
def test_bad_labels(run, tmp_path, case):
    arguments, expected = LABELS[case]
    frame = numbers(30)
    frame["label"] = [1, 0, 0] * 10
    frame["one"], frame["single"], frame["none"], frame["all"] = 0, [1] + [0] * 29, None, -1
    frame["infinite"] = [np.inf, 0, 1] * 10
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert_refused(run("detect", tmp_path / "f.csv", *arguments), expected)


def test_columns_of_lists_are_left_out_and_no_labels(run, tmp_path):
    numbers(4).assign(lists=[[1], [2], [1], None]).to_parquet(tmp_path / "f.parquet")
    assert list(read(tmp_path / "f.parquet")[1]) == ["a", "b", "c"]
    result = run("detect", tmp_path / "f.parquet", "--label", "lists")
    assert_refused(result, "column 'lists' of")


def test_says_which_columns_are_left_out(run, tmp_path):
    frame = numbers()
    frame["name"], frame["empty"], frame["same"] = [f"n{i}" for i in range(20)], None, 3
    frame.insert(0, "", range(20))
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame["when"], frame["took"] = pd.date_range("2024", periods=20), [b"x", b"y"] * 10
    frame.rename(columns={"": "first"}).to_parquet(tmp_path / "f.parquet")
    code, _, err = run("detect", tmp_path / "f.csv", "--drop", "b")
    assert code == 0
    assert (
        "left out 5 columns: 'Unnamed: 0' (numbers the rows), 'b' (--drop), 'name' (text, "
        "20 different values in 20 rows), 'empty' (no values), 'same' (nothing but 3)"
    ) in err
    assert FITS[-1][1].shape == (20, 2)
    err = run("detect", tmp_path / "f.parquet")[2]
    assert "'when' (dates in the order of the rows), 'took' (bytes)" in err


def test_row_numbers_are_kept_where_nothing_else_is(tmp_path):
    path = write(tmp_path / "f.csv", "x\n" + "\n".join(map(str, range(20))))
    assert list(read(path)[1]) == ["x"]


def test_repeated_names_and_identifiers_are_pointed_at(tmp_path):
    rows = "".join(f"{i * 31 % 97},{i % 3},{i % 5}\n" for i in range(20))
    _, features, notes = read(write(tmp_path / "f.csv", "user_id,x,x\n" + rows))
    assert list(features) == ["x", "x.1"]
    assert "several columns are named 'x'" in notes
    assert "left out 1 column: 'user_id' (an identifier, different in each row)" in notes


@pytest.mark.parametrize("name", ["id", "ID", "order_id", "orderId", "customer key", "Nr", "uuid"])
def test_identifiers_are_left_out(tmp_path, name):
    frame = numbers().assign(**{name: np.arange(20) * 7 % 20, "amount": np.arange(20) * 3 % 20})
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert list(read(tmp_path / "f.csv")[1]) == ["a", "b", "c", "amount"]
    frame[[name]].to_csv(tmp_path / "f.csv", index=False)
    assert name in read(tmp_path / "f.csv")[1]  # there is nothing else
    frame[name] //= 2
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert name in read(tmp_path / "f.csv")[1]  # some are the same


@pytest.mark.parametrize("name", ["paid", "humid", "Android", "monkey"])
def test_names_that_end_alike_are_no_identifiers(tmp_path, name):
    numbers().assign(**{name: np.arange(20) * 7 % 20}).to_csv(tmp_path / "f.csv", index=False)
    assert name in read(tmp_path / "f.csv")[1]


def test_says_what_is_missing(tmp_path):
    frame = numbers(200).assign(kind=["x", "y"] * 100)
    frame.loc[:49, "a"], frame.loc[:0, ["b", "c", "kind"]] = np.nan, None
    frame.to_csv(tmp_path / "f.csv", index=False)
    notes = read(tmp_path / "f.csv")[2].splitlines()
    assert "missing values, left as they are: 'a' 25%, 'b' <1%, 'c' <1%, 'kind' <1%" in notes
    assert "note: 1 row without any value, scored like the median row" in notes


def test_rows_without_a_label_are_unlabelled(run, tmp_path):
    frame = numbers(60)
    frame["ok"] = [True, False, None] * 20
    frame.to_csv(tmp_path / "f.csv", index=False)
    arguments = ["--label", "ok", "--anomaly-label", "False"]
    code, out, err = run("detect", tmp_path / "f.csv", *arguments)
    assert code == 0
    assert "20 anomalies (False), 20 normal, 20 unlabelled" in err
    assert "The most anomalous unlabelled rows" in out
    rows = [int(row) for row in re.findall(r"^ +(\d+) +-?[\d.]+  (?:yes|no)", out, re.MULTILINE)]
    assert len(rows) == 10
    assert all(row % 3 == 0 for row in rows)
    labels = FITS[-1][2]
    np.testing.assert_array_equal(labels, [1, -1, np.nan] * 20)
    assert np.isnan(FITS[0][2]).sum() == 20


@pytest.mark.parametrize(
    ("values", "wanted", "anomalies"),
    [
        ([3, 4, None], "3", "3"),
        ([3, 4, 4], "3", "3"),
        ([3.5, 4, 4], "3.5", "3.5"),
        (["a", "b", "b"], "a", "'a'"),
        ([True, False, False], "True", "True"),
    ],
)
@pytest.mark.parametrize("name", ["f.csv", "f.parquet"])
def test_anomaly_label_is_read_as_the_column_is(run, tmp_path, values, wanted, anomalies, name):
    frame = numbers(30).assign(label=values * 10)
    if name == "f.csv":
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_parquet(tmp_path / name)
    code, _, err = run("detect", tmp_path / name, "--label", "label", "--anomaly-label", wanted)
    assert code == 0
    assert re.search(rf"10 anomalies \({anomalies}(\.0)?\), \d0 normal", err)


def test_a_value_may_be_in_the_held_out_part_alone(run, tmp_path):
    frame = numbers(30).assign(label=[1, 0, 0] * 10, only=np.nan)
    train, held_out = _training.split(np.array([-1, 1, 1] * 10), 0)
    frame.loc[held_out[:2], "only"] = [1, 2]
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert run("detect", tmp_path / "f.csv", "--label", "label")[0] == 0
    (_, first, _), (_, second, _) = FITS
    assert (list(first), list(second)) == (["a", "b", "c"], ["a", "b", "c", "only"])
    assert len(first) == len(train)


def test_labels_that_are_not_named_and_few_rows_are_pointed_at(run, tmp_path):
    frame = numbers(20).assign(is_fraud=[0, 1] * 10, size=[0, 1] * 10)
    frame.to_csv(tmp_path / "f.csv", index=False)
    err = run("detect", tmp_path / "f.csv")[2]
    assert "'is_fraud' holds 0, 1 and is named like a label" in err
    assert "'size'" not in err
    assert "warning: 20 rows are few to learn from" in err
    assert "is_fraud" not in run("detect", tmp_path / "f.csv", "--drop", "is_fraud", "--quiet")[2]


def test_identifiers_and_numbers_on_request(run, tmp_path):
    frame = numbers(40).assign(plate=[i % 7 for i in range(40)], code=["1", "2", "x", "4"] * 10)
    frame.to_csv(tmp_path / "f.csv", index=False)
    arguments = ["--id", "plate", "--number", "code"]
    _, features, _ = read(tmp_path / "f.csv", *arguments)
    assert list(features) == ["a", "b", "c", "code"]
    assert features["code"].isna().sum() == 10
    out = run("detect", tmp_path / "f.csv", *arguments)[1]
    assert " plate " in out
    result = run("detect", tmp_path / "f.csv", "--number", "code", "--category", "code")
    assert_refused(result, "--number and --category both name the column 'code'")


def test_one_text_among_many_different_numbers_is_missing(tmp_path):
    values = [str(i % 51) for i in range(500)]
    values[77] = "ERR"
    pd.DataFrame({"v": values, "w": range(0, 1000, 2)}).to_csv(tmp_path / "f.csv", index=False)
    _, features, notes = read(tmp_path / "f.csv")
    assert features["v"].dtype == float
    assert "'v' holds numbers and 'ERR' in 1 row, read as missing" in notes
    pd.DataFrame({"v": values, "w": range(500)}).to_parquet(tmp_path / "f.parquet")
    _, features, notes = read(tmp_path / "f.parquet")
    assert "'v' holds numbers written as texts beside 'ERR', as categories; --number" in notes
    assert read(tmp_path / "f.parquet", "--number", "v")[1]["v"].dtype == float
