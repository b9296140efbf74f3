"""Rows in chunks: the bounded sample, and `partial_fit` of both detectors."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.detectors import _partial_fit
from skanomaly.detectors._partial_fit import Stream
from skanomaly.io import keep_rows, load, save

# hardly trained networks call many rows anomalies that carry no label
pytestmark = [
    pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning"),
    pytest.mark.filterwarnings("ignore:All rows of y are labelled as anomalies:UserWarning"),
]

QUICK = [
    AutoencoderDetector(hidden_layer_sizes=(8,), latent_dim=2, max_steps=5, random_state=0),
    AutoencoderDetector("plain", epochs=2, random_state=0),
    NeuralAnomalyClassifier(max_steps=2, random_state=0),
    NeuralAnomalyClassifier("plain", epochs=2, random_state=0),
]
each_detector = pytest.mark.parametrize("detector", QUICK, ids=str)
each_plain = pytest.mark.parametrize("detector", [QUICK[1], QUICK[3]], ids=str)


# The sample


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 9))
def test_the_sample_stays_bounded_and_keeps_the_weight(sizes, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_partial_fit, "MAX_ROWS", 30)
        stream, rng = Stream(seed), np.random.default_rng(seed)
        total = 0.0
        for size in sizes:
            weight = rng.integers(0, 4, size).astype(float)
            stream = stream.add(np.full((size, 2), total), weight=weight)
            total += weight.sum()
        assert stream.n_seen == sum(sizes)
        assert len(stream.rows) == len(stream.weight) <= 30
        assert stream.total == pytest.approx(total)


def test_every_row_is_as_likely_to_be_kept(monkeypatch):
    monkeypatch.setattr(_partial_fit, "MAX_ROWS", 50)
    kept = np.zeros(400)
    for seed in range(200):
        stream = Stream(seed)
        for start in range(0, 400, 40):
            stream = stream.add(np.arange(start, start + 40.0)[:, None])
        np.add.at(kept, stream.rows[:, 0].astype(int), stream.weight)
    assert kept.reshape(10, 40).mean(axis=1) == pytest.approx(200, rel=0.15)


def test_the_sample_is_a_matter_of_the_seed_and_leaves_its_past_alone(monkeypatch):
    monkeypatch.setattr(_partial_fit, "MAX_ROWS", 20)
    X = np.random.default_rng(0).normal(size=(60, 2))
    first = Stream(1).add(X[:15])
    one, two = first.add(X[15:]), first.add(X[15:])
    np.testing.assert_array_equal(one.rows, two.rows)
    assert len(first.rows) == 15
    other = Stream(2).add(X[:15]).add(X[15:])
    assert not np.array_equal(one.rows, other.rows)


def test_heavy_rows_are_kept_in_proportion(monkeypatch):
    monkeypatch.setattr(_partial_fit, "MAX_ROWS", 50)
    weight = np.where(np.arange(200) < 20, 10.0, 1.0)
    stream = Stream(0).add(np.arange(200.0)[:, None], weight=weight)
    heavy = stream.weight[stream.rows[:, 0] < 20].sum()
    assert heavy == pytest.approx(200, abs=2 * stream.total / 50)


def test_labels_may_come_late():
    stream = Stream(0).add(np.zeros((2, 1))).add(np.ones((2, 1)), [1, np.nan])
    assert stream.y.tolist() == [None, None, 1, None]
    assert Stream(0).add(np.zeros((2, 1))).training_rows()[1] is None


# The detectors


@each_detector
@pytest.mark.parametrize("sizes", [[1, 1, 1, 2, 135], [70, 70], [139, 1]], ids=str)
def test_chunks_of_any_size(labelled, detector, sizes):
    order = np.random.default_rng(0).permutation(140)
    X, y = labelled[0][order], labelled[1][order]
    fresh, start = clone(detector), 0
    for size in sizes:
        assert fresh.partial_fit(X[start : start + size], y[start : start + size]) is fresh
        start += size
        assert fresh.n_samples_seen_ == start
        assert np.isfinite(fresh.decision_function(X)).all()
    with keep_rows():
        again = pickle.loads(pickle.dumps(fresh))
    np.testing.assert_array_equal(again.score_samples(X), fresh.score_samples(X))
    again.partial_fit(X[:30], y[:30])
    assert again.n_samples_seen_ == start + 30
    assert fresh.n_samples_seen_ == start


@each_plain
def test_a_pickle_without_rows_says_how_to_go_on(labelled, detector):
    X, y = labelled
    stream = clone(detector).partial_fit(X[:100], y[:100])
    again = pickle.loads(pickle.dumps(stream))
    before = again.score_samples(X)
    with pytest.raises(ValueError, match=r"without its training rows.*keep_rows\(\)"):
        again.partial_fit(X[100:], y[100:])
    np.testing.assert_array_equal(again.score_samples(X), before)
    assert again.n_samples_seen_ == 100
    assert stream.partial_fit(X[100:], y[100:]).n_samples_seen_ == 140
    assert again.fit(X, y).partial_fit(X[:5], y[:5]).n_samples_seen_ == 145


@each_detector
def test_one_chunk_is_a_fit(labelled, detector):
    X, y = labelled
    whole, chunk = clone(detector).fit(X, y), clone(detector).partial_fit(X, y)
    np.testing.assert_array_equal(chunk.score_samples(X), whole.score_samples(X))
    assert chunk.offset_ == whole.offset_


@each_plain
def test_streams_repeat_themselves(labelled, detector):
    X, y = labelled

    def scores():
        stream = clone(detector)
        for rows in np.array_split(np.arange(140), 5):
            stream.partial_fit(X[rows], y[rows])
        return stream.score_samples(X)

    np.testing.assert_array_equal(scores(), scores())


@each_plain
def test_a_stream_goes_on_after_fit(labelled, detector):
    X, y = labelled
    stream = clone(detector).fit(X, y)
    before, network = stream.score_samples(X), stream.network_
    stream.partial_fit(X[:5] + 1, y[:5])  # too few to learn from yet
    assert stream.n_samples_seen_ == 145
    np.testing.assert_array_equal(stream.score_samples(X), before)
    stream.partial_fit(X[:60] + 1, y[:60])
    assert stream.n_samples_seen_ == 205
    assert stream.network_ is not network
    assert np.corrcoef(stream.score_samples(X), before)[0, 1] > 0.5
    assert stream.fit(X, y).n_samples_seen_ == 140
    np.testing.assert_array_equal(stream.score_samples(X), before)


def test_scaling_and_threshold_follow_the_stream():
    rng = np.random.default_rng(0)
    detector = AutoencoderDetector("plain", epochs=20, contamination=0.1, random_state=0)
    seen = np.empty((0, 3))
    for centre in (0, 0, 5, 10):
        rows = rng.normal(centre, 1 + centre, size=(100, 3))
        seen = np.vstack([seen, rows])
        detector.partial_fit(rows)
        np.testing.assert_allclose(detector._learner.scaler.mean_, seen.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(detector._learner.scaler.scale_, seen.std(axis=0), rtol=1e-6)
        assert np.mean(detector.predict(seen) == -1) == pytest.approx(0.1, abs=0.011)


@pytest.mark.parametrize(
    "detector",
    [AutoencoderDetector(random_state=0), NeuralAnomalyClassifier(random_state=0)],
    ids=["autoencoder", "classifier"],
)
def test_a_stream_is_learnt_as_well_as_the_whole(cancer, detector):
    X, y = cancer
    rng = np.random.default_rng(0)
    benign, malignant = (rng.permutation(np.flatnonzero(y == kind)) for kind in (0, 1))
    train = rng.permutation(np.r_[benign[:230], malignant[:20]])
    test = np.r_[benign[230:], malignant[20:]]
    whole = clone(detector).fit(X[train], y[train])
    stream = clone(detector)
    for rows in np.split(train, [1, 40, 120, 180]):
        stream.partial_fit(X[rows], y[rows])
    ours, fitted = (roc_auc_score(y[test], -d.score_samples(X[test])) for d in (stream, whole))
    assert ours > fitted - 0.02
    normal = X[benign[230:]]
    assert np.mean(stream.predict(normal) == 1) > np.mean(whole.predict(normal) == 1) - 0.1


@each_plain
def test_files_in_chunks(labelled, detector, tmp_path):
    """CSV chunks, Parquet row groups and memory maps, with holes and categories."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    X, y = labelled
    frame = pd.DataFrame(X, columns=list("abcd")).assign(label=y)
    frame["word"] = np.where(frame["a"] > 0, "up", "down")
    frame.loc[3, "b"] = np.nan
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_parquet(tmp_path / "rows.parquet", row_group_size=50)
    file = parquet.ParquetFile(tmp_path / "rows.parquet")
    sources = {
        "csv": pd.read_csv(tmp_path / "rows.csv", chunksize=50),
        "parquet": (file.read_row_group(k).to_pandas() for k in range(file.num_row_groups)),
    }
    scores = {}
    for name, chunks in sources.items():
        stream = clone(detector)
        for chunk in chunks:
            stream.partial_fit(chunk.drop(columns="label"), chunk["label"])
        assert stream.n_samples_seen_ == 140
        scores[name] = stream.score_samples(frame.drop(columns="label"))
    np.testing.assert_allclose(scores["csv"], scores["parquet"], rtol=1e-6, atol=1e-9)
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    for stream in (clone(detector).fit(mapped, y), clone(detector).partial_fit(mapped, y)):
        assert np.isfinite(stream.score_samples(mapped)).all()


@each_plain
def test_sparse_chunks(labelled, detector):
    X, y = labelled
    X = np.where(np.abs(X) > 1, X, 0)
    stream = clone(detector)
    for rows in np.array_split(np.arange(140), 3):
        stream.partial_fit(sp.csr_matrix(X[rows]), y[rows])
    assert sp.issparse(stream._stream.rows)
    assert np.isfinite(stream.score_samples(X)).all()


def test_categories_of_later_chunks_are_learnt():
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(size=(300, 2)), columns=list("ab"))
    first = numbers[:100].assign(word=rng.choice(["x", "y"], 100))
    later = numbers[100:].assign(word=rng.choice(["x", "y", "z"], 200))
    stream = AutoencoderDetector("plain", random_state=0).partial_fit(first)
    odd = numbers[:50].assign(word="z")
    gap = [np.median(stream.score_samples(first)) - np.median(stream.score_samples(odd))]
    stream.partial_fit(later)
    gap.append(np.median(stream.score_samples(first)) - np.median(stream.score_samples(odd)))
    assert gap[1] < gap[0] / 5


def test_first_chunks_with_nothing_in_a_column():
    """Only later chunks know the column; nothing has to be known in the first one."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    stream = AutoencoderDetector("plain", epochs=5, random_state=0)
    stream.partial_fit(np.column_stack([X[:20, :2], np.full(20, np.nan)]))
    assert np.isfinite(stream.score_samples(X)).all()
    assert np.isfinite(stream.partial_fit(X[20:]).score_samples(X)).all()


@each_plain
def test_weights_in_a_stream(labelled, detector):
    X, y = labelled
    weight = np.arange(140) % 3
    stream, copies = clone(detector), clone(detector)
    for rows in np.array_split(np.arange(140), 2):
        stream.partial_fit(X[rows], y[rows], sample_weight=weight[rows])
        doubled = np.repeat(rows, weight[rows])
        copies.partial_fit(X[doubled], y[doubled])
    np.testing.assert_allclose(
        stream.score_samples(X), copies.score_samples(X), rtol=1e-4, atol=1e-5
    )


@each_plain
def test_bad_chunks_are_refused_and_leave_the_detector_alone(labelled, detector):
    X, y = labelled
    stream = clone(detector)
    with pytest.raises(ValueError, match=r"leaves no row to begin with|at least one non-zero"):
        stream.partial_fit(X, y, sample_weight=np.zeros(140))
    assert vars(stream) == vars(clone(detector))
    stream.partial_fit(X, y)
    before = dict(vars(stream))
    with pytest.raises(ValueError, match=r"3 features, but"):
        stream.partial_fit(X[:, :3], y)
    with pytest.raises(ValueError, match="infinity"):
        stream.partial_fit(np.full((9, 4), np.inf), y[:9])
    with pytest.raises(ValueError, match="0 sample"):
        stream.partial_fit(X[:0], y[:0])
    assert vars(stream) == before


def test_labels_of_a_chunk_must_fit_its_rows(labelled):
    with pytest.raises(ValueError, match="one label for each of the 140 rows of X, got 9"):
        clone(QUICK[3]).partial_fit(labelled[0], labelled[1][:9])


@pytest.mark.parametrize("begun", ["partial_fit", "fit"])
def test_explanations_name_categories_of_all_chunks(begun, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=120), "kind": rng.choice(["x", "y"], 120)})
    frame["flag"] = frame["a"] > 0
    frame.loc[60:, "kind"] = rng.choice(["z", None], 60)
    detector = AutoencoderDetector("plain", epochs=2, random_state=0)
    getattr(detector, begun)(frame[:60].astype({"kind": "category"})).partial_fit(frame[60:])
    assert len(detector._background) <= 120
    assert set(detector._background["kind"].dropna()) == {"x", "y", "z"}
    rows = frame.iloc[[0, 100]]
    found = detector.explain(rows)
    assert found.expected["kind"].dropna().isin(["x", "y", "z"]).all()
    assert found.expected["flag"].tolist() == rows["flag"].tolist()
    scores = -detector.score_samples(rows)
    np.testing.assert_allclose(found.contributions.sum(axis=1) + found.base, scores)
    save(detector, tmp_path / "file", keep_rows=True)
    loaded = load(tmp_path / "file")
    pd.testing.assert_frame_equal(loaded.explain(rows).expected, found.expected)
    loaded.partial_fit(frame[:60])
    assert set(loaded._background["kind"].dropna()) == {"x", "y", "z"}
