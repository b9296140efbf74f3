"""What a column becomes: numbers, a category, parts of a date, or nothing."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from command_line import assert_refused, numbers, read, write

from skanomaly.cli import _kinds, _texts
from skanomaly.preprocessing._categories import MAX_CATEGORIES


def test_decimals_and_missing_booleans_of_parquet_are_numbers(tmp_path):
    frame = pd.DataFrame({"price": [Decimal("1.50"), None, Decimal(3)], "ok": [True, None, False]})
    frame.to_parquet(tmp_path / "f.parquet")
    _, features, _ = read(tmp_path / "f.parquet")
    np.testing.assert_array_equal(features["price"], [1.5, np.nan, 3])
    assert features["ok"].dtype == "category"
    assert features["ok"].astype(object).fillna("").to_list() == ["True", "", "False"]


def test_text_of_spaced_digits_is_no_number(tmp_path):
    path = write(tmp_path / "f.csv", "phone,x\n555 123 456,1\n555 123 457,2\n")
    assert list(read(path)[1]) == ["x"]


@pytest.mark.parametrize("marker", ["?", "-", "#DIV/0!", "unknown", "k.A."])
def test_what_says_missing_among_numbers_is_read_so(tmp_path, marker):
    path = write(tmp_path / "f.csv", f"a,b\n1,2\n{marker},3\n5,8\n")
    _, features, notes = read(path)
    np.testing.assert_array_equal(features["a"], [1, np.nan, 5])
    assert f"'a' holds numbers and '{marker}' in 1 row, read as missing" in notes
    assert "'a' holds" not in read(path, f"--missing={marker}")[2]


def test_few_odd_texts_among_many_numbers_are_read_as_missing(tmp_path):
    prices = [f"{1000 + i},{i:02d}" for i in range(99)]
    prices[50] = "ask"
    path = write(tmp_path / "f.csv", "price;b\n" + "".join(f"{p};{p[:2]}1\n" for p in prices))
    table, features, notes = read(path, "--missing=101")
    assert table.decimal == ","
    assert features["price"].isna().sum() == 1
    assert features["price"][3] == 1003.03
    assert "'price' holds numbers and 'ask' in 1 row, read as missing" in notes


def test_one_text_among_few_codes_is_a_value_and_pointed_at(tmp_path):
    path = write(tmp_path / "f.csv", "children,b\n" + "0,1\n1,2\n2,3\n3+,4\n" * 5)
    _, features, notes = read(path)
    assert set(features["children"]) == {"0", "1", "2", "3+"}
    assert "--missing=3+ reads that as missing" in notes
    np.testing.assert_array_equal(read(path, "--missing=3+")[1]["children"][:3], [0, 1, 2])


def test_texts_of_few_values_are_categories(tmp_path):
    rows = [f"v{i % 64},w{i % 65},t{i % 90},k{i % 2} \n" for i in range(180)]
    path = write(tmp_path / "f.csv", "few,many,twice,blank\n" + "".join(rows))
    _, features, notes = read(path)
    assert list(features) == ["few", "blank"]
    assert set(features["blank"]) == {"k0", "k1"}
    assert "categories: 'few' (64 values), 'blank' (2 values)" in notes
    assert (
        "left out 2 columns: 'many' (text, 65 different values, more than 64), "
        "'twice' (text, 90 different values, more than 64)"
    ) in notes


def test_as_many_categories_are_taken_as_a_detector_tells_apart():
    assert _kinds.MOST_CATEGORIES == MAX_CATEGORIES


def test_categories_on_request(run, tmp_path):
    frame = pd.DataFrame({"code": [10, 20, None, 30] * 20, "name": [f"n{i}" for i in range(80)]})
    frame.to_csv(tmp_path / "f.csv", index=False)
    _, features, _ = read(tmp_path / "f.csv", "--category", "code", "--category", "name")
    assert [len(features[name].cat.categories) for name in ("code", "name")] == [3, 80]
    assert features["code"].isna().sum() == 20
    assert_refused(
        run("detect", tmp_path / "f.csv", "--category", "names"), "did you mean 'name'?"
    )


def test_categories_of_parquet(tmp_path):
    frame = numbers(8).assign(kind=pd.Categorical(["3", "5", None, "5"] * 2), text=["a", "b"] * 4)
    frame["day"] = pd.Categorical(pd.to_datetime(["2024-05-01", "2024-01-01"] * 4))
    frame.to_parquet(tmp_path / "f.parquet")
    _, features, notes = read(tmp_path / "f.parquet")
    assert list(features["kind"].cat.categories) == ["3", "5"]
    np.testing.assert_array_equal(features["day"], [121, 0] * 4)
    assert "categories: 'kind' (2 values), 'text' (2 values)" in notes


def test_blank_texts_are_missing(tmp_path):
    rows = '"a ","b ",1\n" "," ",2\na,b,3\nc,"b  ",5\n' * 2
    path = write(tmp_path / "f.csv", "kind,same,x\n" + rows)
    _, features, notes = read(path)
    assert list(features) == ["kind", "x"]
    assert features["kind"].astype(object).fillna("").to_list() == ["a", "", "a", "c"] * 2
    assert "'same' (nothing but 'b')" in notes


def test_hours_are_those_of_the_clock_in_any_zone(tmp_path):
    midnights = pd.date_range("2024-01-01", periods=200, tz="Europe/Berlin")
    frame = pd.DataFrame({"at": midnights.repeat(2)[::-1], "x": np.arange(400) % 7})
    frame.loc[0, "at"] = midnights[0]  # out of order
    frame.to_parquet(tmp_path / "f.parquet")
    frame.to_csv(tmp_path / "f.csv", index=False)
    for name in ("f.parquet", "f.csv"):
        features = read(tmp_path / name)[1]
        assert list(features) == ["at", "x"]
        assert set(features["at"]) == set(range(200))
    texts = pd.Series(["2024-01-01 05:00:00+02", "2024-01-01T06:00:00.5Z"])
    assert _texts.dates_of(texts).dt.hour.to_list() == [5, 6]


def test_dates_become_days_and_hours(run, tmp_path):
    days = pd.to_datetime("2024-03-01") + pd.to_timedelta(np.arange(20) * 7 % 20, unit="D")
    hours = pd.to_timedelta(np.arange(20) % 5 * 2.5, unit="h")
    frame = pd.DataFrame({"day": days, "both": days + hours, "log": np.sort(days) + hours})
    frame.loc[3, ["day", "log"]] = None
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.assign(took=hours, due=days.date).to_parquet(tmp_path / "f.parquet")
    _, features, notes = read(tmp_path / "f.csv")
    assert list(features) == ["day", "both", "both (hour)", "log (hour)"]
    expected = (frame["day"] - frame["day"].min()) / pd.Timedelta(days=1)
    np.testing.assert_allclose(features["day"], expected)
    np.testing.assert_allclose(features["both (hour)"], np.arange(20) % 5 * 2.5)
    assert np.isnan(features["log (hour)"][3])
    assert "'day' (2024-03-01 to 2024-03-20, as days)" in notes
    assert "as days and hour of the day" in notes
    _, again, _ = read(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(again[list(features)], features)
    np.testing.assert_allclose(again["took"], np.arange(20) % 5 * 2.5)
    np.testing.assert_allclose(again["due"], np.arange(20) * 7 % 20)
    assert "both (hour)=" in run("detect", tmp_path / "f.csv", "--top", "20")[1]


def test_dates_that_are_none_are_missing_and_named(tmp_path):
    days = [f"{1 + i * 7 % 28}.{1 + i % 12}.2024" for i in range(40)]
    days[5], days[6] = "31.02.2024", None
    pd.DataFrame({"day": days, "x": range(0, 80, 2)}).to_csv(tmp_path / "f.csv", index=False)
    _, features, notes = read(tmp_path / "f.csv")
    assert features["day"].isna().sum() == 2
    assert "'day' holds dates and '31.02.2024' in 1 row, read as missing" in notes


def test_times_of_day_are_hours(tmp_path):
    path = write(tmp_path / "f.csv", "at,x\n8:30,1\n23:59:30,2\n,3\n0:00,5\n")
    _, features, _ = read(path)
    np.testing.assert_allclose(features["at"], [8.5, 23 + 59.5 / 60, np.nan, 0])
    times = [datetime.time(8, 30), None, datetime.time(12)]
    pd.DataFrame({"at": times}).to_parquet(tmp_path / "f.parquet")
    np.testing.assert_allclose(read(tmp_path / "f.parquet")[1]["at"], [8.5, np.nan, 12])
