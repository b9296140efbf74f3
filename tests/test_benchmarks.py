"""The parts of benchmarks/quality.py that decide what its figures mean."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import make_pipeline

FOLDER = Path(__file__).parents[1] / "benchmarks"
if not (FOLDER / "quality.py").exists():
    pytest.skip("the benchmarks do not come with an installed package", allow_module_level=True)
sys.path.append(str(FOLDER))
methods, protocols, report, quality = map(
    import_module, ["_methods", "_protocols", "_report", "quality"]
)


def forest_behind_pca(trees=5):
    return make_pipeline(PCA(2), IsolationForest(n_estimators=trees))


class Recorder(OutlierMixin, BaseEstimator):
    """Keeps the labels it is given; the first column is its anomaly score."""

    def fit(self, X, y=None):
        self.y_ = y
        return self

    def score_samples(self, X):
        return -X[:, 0]

    def predict(self, X):
        return np.where(X[:, 0] > 0, -1, 1)


class LabelledRecorder(Recorder):
    def predict_proba(self, X):
        raise NotImplementedError


class ClassifierRecorder(ClassifierMixin, Recorder):
    def fit(self, X, y):
        self.classes_ = np.array([1, 0])  # the anomaly need not be the last column
        return super().fit(X, y)

    def predict_proba(self, X):
        return np.column_stack([X[:, 0], -X[:, 0]])

    def predict(self, X):
        return (X[:, 0] > 0).astype(int)


@pytest.fixture
def task():
    """Return 90 normal rows and 30 anomalies, which the first column tells apart."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [90, 30])
    return np.column_stack([5.0 * y + rng.random(120), rng.random(120), np.ones(120)]), y


@pytest.fixture
def results():
    """Return figures of three methods on three sets; the last did not run on every set."""
    figures = {"good": [0.9, 0.8, 0.7], "bad": [0.6, 0.795, 0.75], "partial": [0.5, np.nan, 0.1]}
    lines = [
        {"set": name, "protocol": "S", "method": method, "seed": seed, "roc_auc": auc + seed / 100,
         "average_precision": auc, "f1": np.nan, "fit_seconds": 3.0 - seed, "score_seconds": 0.1,
         "n": 10, "d": 2, "false_alarms": 0.1}
        for method, values in figures.items()
        for name, auc in zip(["1_a", "2_b", "3_c"], values, strict=True)
        for seed in (0, 1)
        if not np.isnan(auc)
    ]  # fmt: skip
    return pd.DataFrame(lines)


@settings(deadline=None, max_examples=20)
@given(st.integers(4, 60), st.integers(4, 60), st.integers(0, 5))
def test_rows_of_the_protocols(n_normal, n_anomalies, seed):
    y = np.repeat([0, 1], [n_normal, n_anomalies])
    every_row = np.arange(len(y))
    train, test = protocols._split_rows(y, "U", seed)
    assert_array_equal(train, every_row)
    assert_array_equal(test, every_row)
    for protocol in ("S", "F", "L25", "L5"):
        train, test = protocols._split_rows(y, protocol, seed)
        assert_array_equal(np.sort(np.concatenate([train, test])), every_row)
        if protocol == "S":
            assert len(train) == n_normal // 2
            assert not y[train].any()
        else:
            assert len(test) == np.ceil(0.3 * len(y))
            assert abs(y[test].sum() - len(test) * y.mean()) < 1


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 200), st.sampled_from([0.25, 0.05]), st.integers(0, 5))
def test_few_labels_hide_every_normal_row(n_anomalies, share, seed):
    y = np.repeat([0, 1], [7, n_anomalies])
    hidden = protocols.hide_labels(y, share, seed)
    assert np.isnan(hidden[:7]).all()
    assert np.nansum(hidden) == np.ceil(share * n_anomalies)
    assert set(hidden[7:][~np.isnan(hidden[7:])]) == {1.0}


def test_seeds_draw_other_rows(task):
    X, y = task
    for protocol in ("S", "F"):
        assert not np.array_equal(*(protocols.split_set((X, y), protocol, s)[0] for s in (0, 1)))
    labels = [protocols.hide_labels(y, 0.25, seed) for seed in (0, 1)]
    assert not np.array_equal(*labels, equal_nan=True)


def test_split_is_standardised_by_training_rows(task):
    split = protocols.split_set(task, "S", 0)
    assert split.y_train is None
    assert_allclose(split.X_train.mean(axis=0), 0, atol=1e-12)
    assert_allclose(split.X_train.std(axis=0), [1, 1, 0])
    assert split.X_test[split.y_test == 1, 0].min() > 5


def test_cap_keeps_the_share_of_anomalies(task):
    task = protocols.Task(*task)
    X, y, _ = protocols.cap_rows(task, max_rows=40, seed=0)
    assert len(X) == 40
    assert y.sum() == 10
    assert protocols.cap_rows(task, max_rows=120, seed=0) is task
    published = protocols.Task(*task[:2], np.arange(120) < 60)
    X, y, train = protocols.cap_rows(published, max_rows=40, seed=0)
    assert (len(X), y.sum(), train.sum()) == (40, 10, 20)


def test_published_training_rows_take_the_place_of_a_random_half(tmp_path, task):
    X, y = task
    np.savez(tmp_path / "a.npz", train=X[:60], test=X[60:], test_labels=y[60:])
    found = protocols.load_set(str(tmp_path / "a.npz"))
    assert_array_equal(found.y, y)
    assert_array_equal(found.published, np.arange(120) < 60)
    rows = {p: protocols._split_rows(y, p, 0, found.published) for p in ("S", "N10", "U")}
    assert_array_equal(rows["S"][0], np.arange(60))
    assert_array_equal(rows["S"][1], np.arange(60, 120))
    assert y[rows["N10"][0]].sum() == 7
    assert not set(rows["N10"][0]) & set(rows["N10"][1])
    assert rows["U"][0].min() >= 60
    assert y[rows["U"][0]].sum() == 3


@pytest.mark.parametrize(("protocol", "expected"), [("N1", 1), ("N5", 2), ("N10", 5)])
def test_contaminated_training_rows(task, protocol, expected):
    _, y = task
    train, test = protocols._split_rows(y, protocol, 0)
    assert (y[train].sum(), (1 - y[train]).sum()) == (expected, 45)
    assert_array_equal(np.sort(np.r_[train, test]), np.arange(120))


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "wine"])
def test_quick_sets_are_anomaly_tasks(name):
    X, y, _ = protocols.load_set(name)
    assert len(X) == len(y)
    assert 0.05 < y.mean() < 0.2


def test_load_set_reads_npz_and_explains_what_is_wrong(tmp_path, task):
    X, y = task
    np.savez(tmp_path / "good.npz", X=X, y=y.astype(float))
    assert_array_equal(protocols.load_set(str(tmp_path / "good.npz"))[1], y)
    np.savez(tmp_path / "names.npz", a=X)
    with pytest.raises(ValueError, match="must hold the arrays X and y"):
        protocols.load_set(str(tmp_path / "names.npz"))
    np.savez(tmp_path / "labels.npz", X=X, y=y + 1)
    with pytest.raises(ValueError, match="must hold 0"):
        protocols.load_set(str(tmp_path / "labels.npz"))


@pytest.mark.parametrize(
    ("estimator", "runs"),
    [
        (Recorder(), {"S", "U", "N1", "N5", "N10"}),
        (LabelledRecorder(), {*protocols.PROTOCOLS}),
        (ClassifierRecorder(), {"F", "L25", "L5"}),
    ],
)
def test_protocols_of_an_estimator(estimator, runs):
    assert {p for p in protocols.PROTOCOLS if protocols.can_run(estimator, p)} == runs


@pytest.mark.parametrize("protocol", ["F", "L25"])
def test_who_sees_which_labels(task, protocol):
    split = protocols.split_set(task, protocol, 0)
    ours, peer = LabelledRecorder(), ClassifierRecorder()
    for estimator in (ours, peer):
        figures = protocols.evaluate(estimator, split, protocol)
        assert_allclose([figures[k] for k in ("roc_auc", "average_precision", "f1")], 1)
    assert np.isnan(ours.y_).any() == (protocol == "L25")
    assert_array_equal(peer.y_, np.nan_to_num(ours.y_))
    assert peer.y_.dtype.kind == "i"


def test_detectors_get_no_label(task):
    estimator = Recorder()
    figures = protocols.evaluate(estimator, protocols.split_set(task, "U", 0), "U")
    assert estimator.y_ is None
    assert_allclose(figures["roc_auc"], 1)
    assert 0 < figures["f1"] <= 1
    assert 0 <= figures["false_alarms"] < 1
    assert figures["fit_seconds"] >= 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("recipe=plain", {"recipe": "plain"}),
        ("a=(64, 32),b='x,y',c=None,d=-1e-3", {"a": (64, 32), "b": "x,y", "c": None, "d": -1e-3}),
        ("n=1,n=2", {"n": 2}),
    ],
)
def test_parameters(text, expected):
    assert methods.parse_parameters(text) == expected


@pytest.mark.parametrize("text", ["plain", "a=", "**b", "a=1)+f(b=2", "a=1;b=2"])
def test_parameters_that_are_none(text):
    with pytest.raises(methods.UsageError, match="must look like"):
        methods.parse_parameters(text)


def test_methods_and_overrides():
    parse = methods.parse_method
    assert parse("svm=sklearn.svm:OneClassSVM:nu=0.1")[1] == "sklearn.svm:OneClassSVM:nu=0.1"
    assert parse("same=lof") == ("same", methods.REGISTRY["lof"])
    name, spec = parse("plain=autoencoder:recipe=plain")
    assert (name, spec) == ("plain", "skanomaly:AutoencoderDetector:recipe=plain")
    assert methods.build(parse("k=knn:n_neighbors=9")[1], 0).n_neighbors == 9


@pytest.mark.parametrize("text", ["lof", "=lof", "a=", "a=nothing"])
def test_methods_that_are_none(text):
    with pytest.raises(methods.UsageError, match="must look like"):
        methods.parse_method(text)


def test_build_seeds_what_the_spec_leaves_alone():
    forest = "sklearn.ensemble:IsolationForest"
    assert methods.build(forest, 3).random_state == 3
    assert methods.build(f"{forest}:random_state=7", 3).random_state == 7
    pipeline = methods.build(f"{__name__}:forest_behind_pca:trees=4", 3)
    assert pipeline[-1].random_state == pipeline[0].random_state == 3
    assert pipeline[-1].n_estimators == 4
    assert methods.build("sklearn.svm:OneClassSVM", 3).get_params()["nu"] == 0.5


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("no_such_package_here:Thing", "needs the package 'no_such_package_here'.*pip install"),
        ("sklearn.svm:NoSuchSVM", "has no 'NoSuchSVM'"),
        ("sklearn.svm:OneClassSVM:mu=0.1", "cannot be built.*mu"),
    ],
)
def test_build_says_what_is_missing(spec, message):
    with pytest.raises(methods.UsageError, match=message):
        methods.build(spec, 0)


def test_neighbour_peers_leave_out_the_row_itself():
    X = np.array([[0.0], [1.0], [3.0], [7.0], [15.0]])
    knn = methods.KNeighborsDetector(n_neighbors=1).fit(X)
    assert_array_equal(knn.training_scores_, [-1, -1, -2, -4, -8])
    assert_array_equal(knn.score_samples(X), 0)
    split = protocols.Split(X, None, X, np.array([0, 0, 0, 0, 1]))
    assert_allclose(protocols.evaluate(knn, split, "U")["roc_auc"], 1)
    lof = methods.TrainableLOF(n_neighbors=2).fit(X)
    assert_array_equal(lof.training_scores_, lof.negative_outlier_factor_)


def test_paired_comparison(results):
    compared = report.paired(results, "roc_auc", "good")
    assert_array_equal(compared.loc["bad", ["wins", "ties", "losses", "sets"]], [1, 1, 1, 3])
    differences = np.array([0.3, 0.005, -0.05])
    assert_allclose(compared.loc["bad", "difference"], differences.mean())
    assert_allclose(compared.loc["bad", "standard error"], differences.std(ddof=1) / 3**0.5)
    assert_array_equal(compared.loc["partial", ["wins", "sets"]], [2, 2])
    assert report.paired(results, "f1", "good").empty


def test_means_and_ranks_leave_incomplete_methods_out(results):
    table = report.means_per_set(results, "roc_auc")
    assert list(table) == ["bad", "good"]
    assert_allclose(table["good"], [0.905, 0.805, 0.705])
    assert_allclose(report.mean_ranks(table), [5 / 3, 4 / 3])
    means = report.table_of_means(results)
    assert list(means.index) == ["good", "bad", "partial"]
    assert np.isnan(means.loc["partial", "rank AP"])
    assert_array_equal(means.loc["partial", ["sets", "seeds"]], [2, 2])
    assert_array_equal(means.loc["good", ["fit s", "first fit s"]], [2, 3])
    assert "F1" not in means


def test_groups_of_sets(results):
    results = results.assign(set="odd_a", n=[500, 5000] * (len(results) // 2))
    names = report.group_names(results)
    assert set(names["rows"]) == {"rows 1-1000", "rows above 3000"}
    assert set(names["columns"]) == {"columns 1-5"}
    assert set(names["collection"]) == {"odd"}
    page = report.report_groups(results, "S", "good")
    assert "### S, rows 1-1000: good minus each method" in page


def test_markdown_keeps_counts_whole(results):
    page = report.report_protocol(results, "S", per_set=True)
    assert "| good | 0.805 | 1.333 | 0.800 | 1.333 | 2.000 | 3.000 | 0.100 | 3 | 2 |" in page
    assert "| bad | +0.085 ± 0.109 | 1/1/1 | +0.085 ± 0.109 | 1/1/1 | 3 |" in page
    assert "## S: good minus each method" in page
    assert "| 2_b | 0.800 | 0.805 |  |" in page
    assert "F1" not in page


def test_report_writes_page_and_picture(results, tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    paths = report.write_report(results, tmp_path / "new", against="bad")
    assert [path.suffix for path in paths] == [".md", ".png", ".png"]
    assert "S: bad minus" in paths[0].read_text(encoding="utf-8")
    assert paths[1].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    table = report.means_per_set(results, "roc_auc")
    figure = report.draw_ranks(table, "ROC AUC", "three sets")
    assert figure.axes[0].get_title() == "three sets"
    texts = " ".join(text.get_text() for text in figure.axes[0].texts)
    assert {"good", "bad", "1.33", "1.67"} <= set(texts.split())


def test_selection_of_sets(tmp_path, task):
    for name in ("15_b", "5_a", "deeper/7_c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.savez(tmp_path / name, X=task[0], y=task[1])

    def found(*arguments):
        return list(
            quality.find_sets(quality.parse_arguments(["--data", str(tmp_path), *arguments]))
        )

    assert found() == ["5_a", "7_c", "15_b"]
    assert found("--exclude", "c") == ["5_a", "15_b"]
    assert found("--sets", "15_b", "a") == ["5_a", "15_b"]
    with pytest.raises(methods.UsageError, match="No data set 'd'"):
        found("--sets", "d")


def test_run_resumes_behind_a_torn_line(tmp_path, monkeypatch):
    calls = []

    def fake(cell):
        calls.append(cell.key)
        line = dict(zip(quality.KEY, cell.key, strict=True))
        if cell.seed == 2 and len(calls) < 4:
            return line | {"error": "ValueError: no"}
        return line | dict.fromkeys(quality.FIGURES, 0.5) | {"n": 9, "d": 2}

    monkeypatch.setattr(quality, "run_cell", fake)
    out = tmp_path / "new" / "results.csv"
    cells = quality.plan({"wine": "wine"}, {"k": methods.REGISTRY["knn"]}, ["S"], [0, 1, 2], 50)
    assert quality.run(cells, out) == 1
    whole = out.read_bytes()
    out.write_bytes(whole + b"wine,S,k,2,0.9")
    assert quality.run(cells, out) == 0
    assert calls == [("wine", "S", "k", seed) for seed in (0, 1, 2, 2)]
    assert out.read_bytes() == whole + b"wine,S,k,2,0.5,0.5,0.5,0.5,0.5,0.5,9,2\n"
    assert quality.run(cells, out) == 0
    assert len(calls) == 4


def test_quick_run_end_to_end(tmp_path, capsys):
    out = tmp_path / "results.csv"
    command = ["--quick", "--sets", "wine", "--protocols", "U", "L25", "--out", str(out)]
    command += ["--methods", "knn", "logistic_regression", "--method", "knn9=knn:n_neighbors=9"]
    assert quality.main(command) == 0
    assert "## L25: means" in capsys.readouterr().out
    table = pd.read_csv(out)
    assert list(table) == quality.COLUMNS
    assert set(zip(table["protocol"], table["method"], strict=True)) == {
        ("U", "knn"), ("U", "knn9"), ("L25", "logistic_regression")
    }  # fmt: skip
    assert table["roc_auc"].between(0.5, 1).all()
    assert (table["n"] == 139).all()


def test_failing_method_and_bad_usage(tmp_path, capsys):
    out = ["--out", str(tmp_path / "results.csv")]
    quick = ["--quick", "--sets", "wine", "--protocols", "S", *out]
    assert quality.main([*quick, "--method", "bad=isolation_forest:n_estimators=-1"]) == 1
    assert "wine S bad 0: InvalidParameterError" in capsys.readouterr().err
    assert quality.main([*quick, "--method", "bad=no_such_package_here:Thing"]) == 2
    assert "needs the package" in capsys.readouterr().err
    assert quality.main(["--data", str(tmp_path / "absent"), *out]) == 2
    assert "--data must name the folder" in capsys.readouterr().err


def test_other_files_are_not_taken_for_results(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(methods.UsageError, match="not a result of this benchmark"):
        quality.read_results(path)
