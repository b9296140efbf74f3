"""Files of fitted estimators: the same scores elsewhere, no code, whole or refused."""

import io
import json
import os
import stat
import subprocess
import sys
import threading
import types
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skanomaly
from skanomaly import (
    AutoencoderDetector,
    ConformalDetector,
    NeuralAnomalyClassifier,
    ThresholdedDetector,
    WindowedDetector,
)
from skanomaly.io import _container, info, keep_rows, load, save
from skanomaly.metrics import roc_auc_scorer
from skanomaly.model_selection import StratifiedAnomalyKFold
from skanomaly.utils import _state

pytestmark = [
    pytest.mark.core,
    # hardly trained networks call many rows anomalies that carry no label
    pytest.mark.filterwarnings("ignore:y names .* anomalies, but:UserWarning"),
]
FEW = {"max_steps": 3, "random_state": 0}
SMALL = {"hidden_layer_sizes": (8,), "latent_dim": 2, **FEW}
ESTIMATORS = {
    "autoencoder": lambda X, y: AutoencoderDetector(**SMALL).fit(X),
    "mahalanobis": lambda X, y: AutoencoderDetector(anomaly_score="mahalanobis", **SMALL).fit(X),
    "all labels": lambda X, y: NeuralAnomalyClassifier(**FEW).fit(X, y),
    "few labels": lambda X, y: NeuralAnomalyClassifier(**FEW).fit(X, np.where(y == 1, 1, np.nan)),
    "no labels": lambda X, y: NeuralAnomalyClassifier(**FEW).fit(X),
    "table": lambda X, y: AutoencoderDetector(**SMALL).fit(table(X)),
    "thresholded": lambda X, y: ThresholdedDetector(
        AutoencoderDetector("plain", epochs=1, random_state=0), "f1", cv=2
    ).fit(X, y),
    "thresholded forest": lambda X, y: ThresholdedDetector(
        IsolationForest(n_estimators=5, random_state=0), "f1", cv=2
    ).fit(X, y),
    "conformal": lambda X, y: ConformalDetector(IsolationForest(n_estimators=5)).fit(X),
    "windowed": lambda X, y: WindowedDetector(
        AutoencoderDetector("plain", epochs=1, random_state=0), window_size=4
    ).fit(X),
    "pipeline": lambda X, y: make_pipeline(
        SimpleImputer(), StandardScaler(), AutoencoderDetector("plain", epochs=1, random_state=0)
    ).fit(X),
}


def table(X):
    """Return rows with a category, and with a value missing in some."""
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    frame["d"] = np.where(frame["d"] > 100, "high", "low")
    frame.loc[::9, "a"] = np.nan
    return frame


@pytest.fixture(scope="module")
def file(autoencoder, tmp_path_factory):
    """Return a file that tests must not change."""
    path = tmp_path_factory.mktemp("files") / "autoencoder.skops"
    save(autoencoder, path)
    return path


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scores_are_the_same_to_the_last_bit(labelled, tmp_path, name):
    X, y = labelled
    estimator = ESTIMATORS[name](X, y)
    save(estimator, tmp_path / "file")
    loaded = load(tmp_path / "file")
    rows = table(X) if name == "table" else X
    for method in ("score_samples", "predict"):
        np.testing.assert_array_equal(
            getattr(loaded, method)(rows), getattr(estimator, method)(rows)
        )
    assert str(loaded) == str(estimator)


@pytest.mark.parametrize("name", ["autoencoder", "all labels", "few labels", "no labels", "table"])
def test_a_state_is_plain_data(labelled, name):
    assert set(_kinds(ESTIMATORS[name](*labelled).__getstate__())) <= {
        np.ndarray, str, int, float, bool, type(None)
    }  # fmt: skip


def _kinds(state):
    """Yield the types in a state besides containers."""
    if isinstance(state, (dict, list, tuple)):
        for part in state.values() if isinstance(state, dict) else state:
            yield from _kinds(part)
    else:
        yield type(state)


@pytest.mark.parametrize("name", ["autoencoder", "all labels"])
def test_skops_alone_needs_the_public_class(labelled, name):
    estimator = ESTIMATORS[name](*labelled)
    data = skops.io.dumps(estimator)
    found = skops.io.get_untrusted_types(data=data)
    assert found == [f"{type(estimator).__module__}.{type(estimator).__name__}"]
    loaded = skops.io.loads(data, trusted=found)
    np.testing.assert_array_equal(
        loaded.score_samples(labelled[0]), estimator.score_samples(labelled[0])
    )


@pytest.mark.filterwarnings("ignore::UserWarning:mlflow")
@pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType:UserWarning")
def test_mlflow_takes_the_format(autoencoder, tmp_path, blob, monkeypatch):
    import mlflow.sklearn

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    name = "skanomaly.detectors._autoencoder.AutoencoderDetector"
    options = {"serialization_format": "skops", "skops_trusted_types": [name]}
    mlflow.sklearn.save_model(autoencoder, tmp_path / "model", pip_requirements=[], **options)
    loaded = mlflow.sklearn.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.score_samples(blob), autoencoder.score_samples(blob))


def test_skops_reads_our_files(autoencoder, file, blob):
    loaded = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    np.testing.assert_array_equal(loaded.score_samples(blob), autoencoder.score_samples(blob))


# ---------------------------------------------------------------------- training rows


def test_rows_are_kept_if_asked_for(cancer, tmp_path):
    X = cancer[0][:80]
    detector = AutoencoderDetector("plain", epochs=1, random_state=0).fit(X)
    for kept in (False, True):
        save(detector, tmp_path / "file", keep_rows=kept)
        loaded = load(tmp_path / "file")
        assert _holds(loaded.__getstate__(), X) is False
        with keep_rows():
            assert _holds(loaded.__getstate__(), X) is kept
        assert info(tmp_path / "file")["keeps_rows"] is kept
    assert loaded.partial_fit(X[:3]).n_samples_seen_ == 83
    expected, explained = detector.explain(X[:1]), load(tmp_path / "file").explain(X[:1])
    pd.testing.assert_frame_equal(explained.contributions, expected.contributions)


def _holds(state, X):
    """Tell whether some array of a state holds a value that stands in a column of X alone."""
    if isinstance(state, (dict, list, tuple)):
        parts = state.values() if isinstance(state, dict) else state
        return any([_holds(part, X) for part in parts])
    return isinstance(state, np.ndarray) and bool(np.isin(X[:, 20], state).all())


def test_what_needs_rows_says_so(autoencoder, file, blob):
    loaded = load(file)
    with pytest.raises(ValueError, match=r"partial_fit.*keep_rows=True"):
        loaded.partial_fit(blob)
    with pytest.raises(ValueError, match=r"keep_rows=True.*background"):
        loaded.explain(blob[:1])
    assert loaded.explain(blob[:1], background=blob).score[0] == -loaded.score_samples(blob)[0]
    assert loaded.fit(blob).n_samples_seen_ == len(blob)


@pytest.mark.parametrize("frame", [True, False])
def test_rows_of_mixed_tables_are_kept(labelled, tmp_path, frame):
    rows = table(labelled[0])
    rows["d"] = rows["d"].astype("category") if frame else rows["d"]
    detector = AutoencoderDetector(**SMALL).fit(rows)
    save(detector, tmp_path / "file", keep_rows=True)
    background = load(tmp_path / "file")._background
    pd.testing.assert_frame_equal(background, detector._background)


def test_the_optimizer_is_in_the_file_for_a_warm_start(blob, tmp_path):
    sizes = []
    for warm_start in (False, True):
        detector = AutoencoderDetector("plain", epochs=2, random_state=0, warm_start=warm_start)
        save(detector.fit(blob), tmp_path / "file")
        sizes.append((tmp_path / "file").stat().st_size)
    assert sizes[1] > 1.5 * sizes[0]
    loaded = load(tmp_path / "file")
    np.testing.assert_allclose(
        loaded.fit(blob).score_samples(blob), detector.fit(blob).score_samples(blob), rtol=1e-5
    )


# ---------------------------------------------------------------------- no code


class Own(keras.layers.Layer):
    """A layer that nobody has registered."""

    def call(self, x):
        return x


@keras.saving.register_keras_serializable("test_files")
class Registered(Own):
    """A registered layer."""


def swelled(x):
    return 2 * x


def network(layer):
    return keras.Sequential([keras.layers.Dense(3), layer, keras.layers.Dense(4)])


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.Lambda(lambda x: x, name="suspect"),
        lambda: keras.layers.Dense(3, activation=lambda x: x, name="suspect"),
        lambda: keras.layers.Dense(3, activation=swelled, name="suspect"),
        lambda: Own(name="suspect"),
    ],
    ids=["Lambda", "lambda", "function", "unregistered"],
)
def test_code_is_refused_and_the_layer_named(blob, tmp_path, layer):
    detector = AutoencoderDetector(model=lambda n_features: network(layer()), epochs=1)
    detector.fit(blob)
    with pytest.raises(ValueError, match=r"layer 'suspect'.*register_keras_serializable"):
        save(detector, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_own_networks_of_registered_layers_are_saved(blob, tmp_path):
    quiet = keras.callbacks.Callback()
    detector = AutoencoderDetector(
        model=lambda n_features: network(Registered()), epochs=1, callbacks=[quiet], random_state=0
    ).fit(blob)
    save(detector, tmp_path / "file")
    loaded = load(tmp_path / "file")
    np.testing.assert_array_equal(loaded.score_samples(blob), detector.score_samples(blob))
    assert loaded.callbacks is None
    assert [type(layer) for layer in loaded.model.layers][1] is Registered


def test_foreign_classes_are_named_and_can_be_trusted(distance, blob, tmp_path):
    save(distance.fit(blob), tmp_path / "file")
    with pytest.raises(ValueError, match=r"does not trust.*Distance.*trusted=\['.*Distance'\]"):
        load(tmp_path / "file")
    name = f"{type(distance).__module__}.Distance"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, type(distance).__module__, _module_of(distance))
        loaded = load(tmp_path / "file", trusted=[name])
    np.testing.assert_array_equal(loaded.score_samples(blob), distance.score_samples(blob))


def _module_of(thing):
    return types.SimpleNamespace(**{type(thing).__name__: type(thing)})


@pytest.mark.parametrize("name", ["os.system", "skanomaly.cli.main", "skanomaly.explain"])
def test_a_forged_class_is_refused(file, tmp_path, name):
    module, _, short = name.rpartition(".")

    def change(schema):
        kind = {"__class__": short, "__loader__": "ConstructorFromReduceNode"}
        return schema | kind | {"__module__": module}

    forge(file, tmp_path / "forged", change)
    with pytest.raises(ValueError, match=f"does not trust.*{name}"):
        load(tmp_path / "forged")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('\\"class_name\\": \\"Dense\\"', '\\"class_name\\": \\"Lambda\\"'),
        ('\\"module\\": \\"keras.layers\\"', '\\"module\\": \\"os\\"'),
        ("RowScaler", "Popen"),
    ],
)
def test_a_forged_configuration_is_refused(file, tmp_path, before, after):
    def change(schema):
        text = json.dumps(schema)
        escaped = [json.dumps(part)[1:-1] if "\\" in part else part for part in (before, after)]
        changed = text.replace(*[json.dumps(e)[1:-1] if "\\" in e else e for e in escaped])
        changed = text.replace(*escaped) if changed == text else changed
        assert changed != text
        return json.loads(changed)

    forge(file, tmp_path / "forged", change)
    with pytest.raises(ValueError, match=r"Python code|neither part of Keras|does not know"):
        load(tmp_path / "forged")


def forge(file, target, change):
    """Write a copy of a file, with a digest that fits, whose schema somebody has changed."""
    description, buffer = info(file), io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "schema.json":
                data = json.dumps(change(json.loads(data)))
            if name != "skanomaly.json":
                new.writestr(name, data)
    _container.write(target, buffer.getvalue(), description)


def test_trees_that_lead_nowhere_are_refused(blob, tmp_path):
    forest = IsolationForest(n_estimators=2, random_state=0).fit(blob)
    forest.estimators_[1].tree_.children_left[0] = 10**6
    save(forest, tmp_path / "file")
    with pytest.raises(ValueError, match="tree whose nodes"):
        load(tmp_path / "file")


# ---------------------------------------------------------------------- versions


def test_a_newer_file_is_refused(autoencoder, tmp_path, monkeypatch):
    monkeypatch.setattr(skanomaly, "__version__", "99.0")
    save(autoencoder, tmp_path / "file")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"saved with skanomaly 99.0, and this is skanomaly 0"):
        load(tmp_path / "file")


@pytest.mark.parametrize("version", ["99.0", "0.1.0.dev1+99.1", None, "", "new"])
def test_a_state_of_an_odd_version_is_refused(autoencoder, version):
    state = autoencoder.__getstate__() | {"_skanomaly_version": version}
    newer = version in ("99.0",)
    twin = AutoencoderDetector.__new__(AutoencoderDetector)
    if version == "0.1.0.dev1+99.1":  # earlier than 0.1.0
        twin.__setstate__(state)
        return
    with pytest.raises(ValueError, match="Update it" if newer else "for the version"):
        twin.__setstate__(state)


def test_an_unknown_part_is_refused(autoencoder):
    state = autoencoder.__getstate__()
    state["_encoder"] = {_state.KIND: "Oracle", "state": {}}
    with pytest.raises(ValueError, match="'Oracle'"):
        AutoencoderDetector.__new__(AutoencoderDetector).__setstate__(state)


def test_info_says_what_a_file_holds(autoencoder, file):
    said = info(file)
    assert said["estimator"] == "AutoencoderDetector"
    assert said["n_features_in"] == 4
    assert said["n_samples_seen"] == 120
    assert said["offset"] == autoencoder.offset_
    assert said["skanomaly"] == skanomaly.__version__


def test_info_tells_notes_and_loads_no_libraries(autoencoder, tmp_path):
    save(autoencoder, tmp_path / "file", notes={"owner": "payments", "rows": [1, 2]})
    code = (
        f"import sys; from skanomaly.io import info; notes = info({str(tmp_path / 'file')!r})"
        "['notes']; assert notes == {'owner': 'payments', 'rows': [1, 2]};"
        "assert not {'sklearn', 'keras', 'skops', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert load(tmp_path / "file").n_features_in_ == 4


def test_a_pipeline_of_our_own_is_read_without_skops(blob, tmp_path, monkeypatch):
    pipeline = Pipeline([("d", AutoencoderDetector("plain", epochs=1, random_state=0))])
    save(pipeline.fit(blob), tmp_path / "file")
    monkeypatch.setitem(sys.modules, "skops.io", None)
    assert_array_equal(load(tmp_path / "file").score_samples(blob), pipeline.score_samples(blob))


def test_nothing_is_stored_twice(blob, tmp_path):
    detector = AutoencoderDetector(anomaly_score="channels", n_estimators=1, **SMALL).fit(blob)
    texts = [a.tobytes() for a in arrays_in(detector.__getstate__()) if a.size > len(blob)]
    assert len(set(texts)) == len(texts) == 1  # the training rows themselves


def arrays_in(state):
    """Yield the arrays of a state."""
    if isinstance(state, np.ndarray):
        yield state
    for part in (
        state.values()
        if isinstance(state, dict)
        else state
        if isinstance(state, (list, tuple))
        else ()
    ):
        yield from arrays_in(part)


# ---------------------------------------------------------------------- whole or not at all


def test_a_failure_leaves_the_old_file(autoencoder, tmp_path, monkeypatch):
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def fail(*arguments):
        raise OSError("no space left on device")

    for step in ("replace", "fsync"):
        monkeypatch.setattr(os, step, fail)
        with pytest.raises(OSError, match="no space"):
            save(autoencoder, target)
        monkeypatch.undo()
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_permissions_stay(autoencoder, tmp_path):
    target, link = tmp_path / "file", tmp_path / "link"
    target.touch(mode=0o640)
    link.symlink_to(target)
    save(autoencoder, link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    save(autoencoder, tmp_path / "new")
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "plain")}
    assert len(modes) == 1


def test_writers_at_once_leave_a_whole_file(autoencoder, tmp_path, blob):
    writers = [threading.Thread(target=save, args=(autoencoder, tmp_path / "f")) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    np.testing.assert_array_equal(
        load(tmp_path / "f").score_samples(blob), autoencoder.score_samples(blob)
    )


def test_other_files_are_refused(autoencoder, tmp_path):
    (tmp_path / "text").write_text("no archive")
    (tmp_path / "empty").touch()
    skops.io.dump(autoencoder, tmp_path / "skops")
    for name in ("text", "empty", "skops"):
        with pytest.raises(ValueError, match=r"no file of skanomaly\.io\.save"):
            load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing")


def test_damage_is_told(file, tmp_path):
    """Bytes flipped, cut off or added; benchmarks/damage.py does it 2,000 times."""
    data, rng = file.read_bytes(), np.random.default_rng(0)
    ends = [0, 1, len(data) - 1, len(data) - 64, len(data) - 65, len(data) - 110]
    for place in [*ends, *rng.integers(len(data), size=30)]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        for content in (damaged, data[:place], data + data[:1]):
            (tmp_path / "file").write_bytes(content)
            with pytest.raises(ValueError, match=r"damaged|no file of"):
                load(tmp_path / "file")


def test_without_skops_the_extra_is_named(autoencoder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r"skanomaly\[io\]"):
        save(autoencoder, tmp_path / "file")


def test_a_function_as_loss_is_refused_before_a_file_is_written(tmp_path):
    def own(true, seen):
        return keras.ops.mean((true - seen) ** 2, axis=-1)

    X = np.random.default_rng(0).normal(size=(50, 2))
    detector = AutoencoderDetector("plain", epochs=1, loss=own, random_state=0).fit(X)
    with pytest.raises(ValueError, match="loss is the function"):
        save(detector, tmp_path / "f.skops")
    assert not list(tmp_path.iterdir())


def test_functions_without_a_name_are_refused_before_a_file_is_touched(labelled, tmp_path):
    X, _ = labelled
    path = tmp_path / "d.skops"
    path.write_bytes(b"old")
    steps = [FunctionTransformer(lambda rows: rows**2), AutoencoderDetector(**SMALL)]
    with pytest.raises(TypeError, match=r"'<lambda>' of .* cannot be found again by its name"):
        save(make_pipeline(*steps).fit(X), path)
    assert path.read_bytes() == b"old"
    steps[0] = FunctionTransformer(np.square)
    save(make_pipeline(*steps).fit(X), path)
    assert load(path).predict(X).shape == (len(X),)


def test_searches_with_our_scorers_load_without_trust(labelled, tmp_path):
    X, y = labelled
    search = GridSearchCV(
        AutoencoderDetector(**SMALL), {"latent_dim": [2]}, scoring=roc_auc_scorer,
        cv=StratifiedAnomalyKFold(2),
    )  # fmt: skip
    search.fit(X, y)
    search.cv = KFold(2)
    save(search, tmp_path / "s.skops")
    np.testing.assert_array_equal(
        load(tmp_path / "s.skops").score_samples(X), search.score_samples(X)
    )
