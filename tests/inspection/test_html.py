"""A notebook shows an explanation as bars, with values seen and expected."""

import re

import pandas as pd

from skanomaly import Explanation


def explained(n_rows=1, n_features=3, **seen):
    """Return an explanation whose last feature has the largest share."""
    names = [*seen, *(f"x{k}" for k in range(n_features - len(seen)))]
    shares = pd.DataFrame([[float(k) for k in range(n_features)]] * n_rows, columns=names)
    values = pd.DataFrame([[*seen.values(), *range(n_features - len(seen))]] * n_rows)
    values.columns = names
    base = pd.Series([0.5] * n_rows)
    return Explanation(shares, values, values, shares.sum(axis=1) + base, base)


def features(page):
    return re.findall(r'<tr><td style="[^"]*">([^<]*)</td>', page)


def test_the_largest_share_comes_first():
    page = explained()._repr_html_()
    assert features(page) == ["x2", "x1", "x0"]
    assert "anomaly score 3.5" in page


def test_bars_are_as_long_as_shares():
    widths = re.findall(r"width:([\d.]+)em", explained()._repr_html_())
    assert [float(width) for width in widths] == [8.0, 4.0, 0.0]


def test_many_rows_and_features_are_cut_and_counted():
    page = explained(n_rows=7, n_features=12)._repr_html_()
    assert page.count("<table") == 5
    assert "2 rows more" in page
    assert "8 of 12 features" in page


def test_names_and_values_of_the_data_are_text_and_no_html():
    page = explained(**{"<script>": "<b>"})._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
