"""The report: one file that stands alone and says what it should."""

import html.parser
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skanomaly import NeuralAnomalyClassifier, WindowedDetector
from skanomaly.display import report

FOREST = IsolationForest(n_estimators=20, random_state=0)


@pytest.fixture(scope="module")
def labelled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.zeros(300)
    X[:10], y[:10], y[10:20] = 5, 1, np.nan
    return FOREST.fit(X), X, y


class Page(html.parser.HTMLParser):
    """What a page refers to, and whether its elements are closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.references = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in {"meta", "input", "path", "use", "rect", "line", "br", "link", "img"}:
            self.open.append(tag)
        self.references += [
            value for name, value in attributes if name in {"src", "href", "xlink:href", "srcset"}
        ]

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass


def test_the_page_needs_nothing_else(labelled):
    page = str(report(*labelled))
    parsed = Page(page)
    assert all(value.startswith("#") for value in parsed.references)
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttp", page)
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page
    assert len(page) < 500_000


def test_what_it_says(labelled):
    forest, X, y = labelled
    names = pd.DataFrame({"machine": [f"m{i}" for i in range(300)]})
    page = str(report(forest, X, y, title="Pumps", identifiers=names, left_out={"id": "why"}))
    for text in ("<title>Pumps</title>", "machine: m", "ROC AUC", "290 rows have a label", "why"):
        assert text in page
    assert re.search(r">Row ([1-9]|10)</b>", page)
    assert "expected" in page
    without = str(report(forest, X))
    assert "ROC AUC" not in without
    assert "of the anomalies are found" not in without


def test_the_slider_says_what_thresholds_do(labelled):
    forest, X, y = labelled
    page = str(report(forest, X, y))
    data = json.loads(re.search(r"const data = (\{.*?\}), slide", page)[1])
    scores = forest.decision_function(X)
    assert any(one["threshold"] == 0 for one in data["positions"])
    for one in data["positions"][::20]:
        flagged = scores < one["threshold"]
        assert one["alerts"] == flagged.sum()
        assert one["recall"] == pytest.approx((flagged & (y == 1)).sum() / 10)
        known = flagged & ~np.isnan(y)
        if known.any():
            assert one["precision"] == pytest.approx((y[known] == 1).mean())


def test_figures_of_held_out_rows_and_scores_at_hand(labelled):
    forest, X, y = labelled
    truth, decisions = np.repeat([-1, 1], [4, 12]), np.r_[[-1, -1, -1, 1], np.full(12, 2.0)]
    scores = np.arange(300) - 7.0
    page = str(report(forest, X, y, scores=scores, held_out=(truth, decisions)))
    assert "16 rows that were held out of the training, 4 of them anomalies" in page
    assert "<b>1.000</b><span>ROC AUC of held-out rows" in page
    assert "3 found</td>" in page
    assert "1 missed</td>" in page
    assert '<b class="orange">7</b>' in page  # of all rows, by the scores at hand
    data = json.loads(re.search(r"const data = (\{.*?\}), slide", page)[1])
    at = next(one for one in data["positions"] if one["threshold"] == 0)
    assert (at["alerts"], at["precision"], at["recall"]) == (7, 1.0, 0.75)
    with pytest.raises(ValueError, match="scores must hold a finite number for each of the 300"):
        report(forest, X, scores=scores[:5])
    with pytest.raises(ValueError, match="held_out must be labels"):
        report(forest, X, held_out=(truth, decisions[:5]))


def test_nothing_of_the_data_is_taken_for_html(labelled):
    evil = "</script><script>alert(1)</script>"
    frame = pd.DataFrame(labelled[1], columns=[evil, "b", "c"]).assign(kind=[evil, "x"] * 150)
    kinds = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    prepare = make_column_transformer(
        (kinds, make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )
    detector = make_pipeline(prepare, clone(FOREST)).fit(frame)
    page = str(report(detector, frame, title=evil, facts={evil: evil}, left_out={evil: evil}))
    assert "<script>alert" not in page
    assert page.count("<script>") == 1


def test_saving_leaves_the_old_file_or_a_whole_one(labelled, tmp_path):
    page = report(*labelled[:2])
    assert page.save(tmp_path / "r.html") is page
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == str(page)
    with pytest.raises(FileNotFoundError, match=r"none.r\.html'"):
        page.save(tmp_path / "none" / "r.html")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert page._repr_html_().startswith("<iframe")


def test_rows_that_are_all_alike_and_one_row(labelled):
    class Constant(IsolationForest):
        def score_samples(self, X):
            return np.zeros(len(X))

    forest, X, _ = labelled
    assert "strangest rows" in str(report(Constant(n_estimators=2).fit(X), X[:5]))
    assert ">Row 1</b>" in str(report(forest, X[:1]))


def test_refusals(labelled, monkeypatch):
    forest, X, _ = labelled
    with pytest.raises(ValueError, match="top must be a whole number of at least 1, got 0"):
        report(forest, X, top=0)
    with pytest.raises(ValueError, match="needs a table of shape"):
        report(forest, X[0])
    with pytest.raises(ValueError, match=f"one row for each of the {len(X)} rows of X, got 3"):
        report(forest, X, identifiers=pd.DataFrame({"i": range(3)}))
    for name in ("jinja2", "matplotlib"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, name, None)
            without.delitem(sys.modules, "matplotlib.figure", raising=False)
            with pytest.raises(ImportError, match=r"skanomaly\[report\]"):
                report(forest, X)


BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_a_browser_runs_the_page(labelled, tmp_path):
    report(*labelled).save(tmp_path / "r.html")
    quiet = "--disable-background-networking --disable-component-update --disable-sync"
    done = subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *(*quiet.split(), f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"),
            str(tmp_path / "r.html"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    share = re.search(r'<small id="share">\(([\d.]+)% of the rows\)</small>', done.stdout)
    assert 0 < float(share[1]) < 50


def test_labels_are_read_as_the_detector_reads_them(labelled):
    _, X, _ = labelled
    words = np.array(["ok"] * 200 + ["bad"] * 90 + ["?"] * 10)
    detector = NeuralAnomalyClassifier(
        "plain", epochs=1, anomaly_label="ok", unlabeled_label="?", random_state=0
    ).fit(X, words)
    page = str(report(detector, X, words))
    assert "anomaly (200 rows)" in page
    assert "normal (90 rows)" in page


def test_rows_of_a_series_are_explained_within_it():
    rng = np.random.default_rng(0)
    index = pd.date_range("2026-01-01", periods=300, freq="h")
    table = pd.DataFrame({"a": np.sin(np.arange(300) / 4), "b": rng.normal(size=300)}, index)
    table.iloc[250, 0] = 9
    detector = WindowedDetector(FOREST, 12).fit(table[:200])
    assert "9" in str(report(detector, table))
    with_time = table.reset_index(names="when")
    detector = WindowedDetector(FOREST, 12, time="when").fit(with_time[:200])
    assert "when" in str(report(detector, with_time))


def test_sparse_rows():
    X = sparse.random_array((100, 4), density=0.3, rng=np.random.default_rng(0), format="csr")
    assert "100" in str(report(clone(FOREST).fit(X), X))
