"""The backend is chosen before Keras is imported, and nothing is loaded for it."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import skanomaly
from skanomaly.backend import _choice

PARENT = Path(skanomaly.__file__).parents[1]

CHOOSE = "from skanomaly.backend._choice import choose_backend; import os, sys; choose_backend();"
ANSWER = (
    CHOOSE + "print(os.environ.get('KERAS_BACKEND'), sorted({'keras', 'jax'} & {*sys.modules}))"
)


def written(folder, **changes):
    """Write a keras.json as Keras does, with changes."""
    config = {"floatx": "float32", "epsilon": 1e-07, "backend": "tensorflow"}
    config |= {"image_data_format": "channels_last"} | changes
    (folder / "keras.json").write_text(json.dumps(config))
    return {"KERAS_HOME": str(folder), "KERAS_BACKEND": ""}


def test_jax_comes_first(fresh_python, tmp_path):
    assert fresh_python(ANSWER, KERAS_HOME=str(tmp_path), KERAS_BACKEND="") == "jax []"


def test_the_environment_decides(monkeypatch, tmp_path):
    for name, value in written(tmp_path, backend="jax").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(_choice, "_installed", lambda name: True)
    _choice.choose_backend()
    assert _choice.os.environ["KERAS_BACKEND"] == "torch"


def test_what_keras_writes_by_itself_is_no_decision(fresh_python, tmp_path):
    assert fresh_python(ANSWER, **written(tmp_path)) == "jax []"


def test_a_changed_keras_json_is_a_decision(monkeypatch, tmp_path):
    for name, value in written(tmp_path, backend="torch", floatx="float16").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(_choice, "_installed", lambda name: True)
    _choice.choose_backend()
    assert _choice.os.environ["KERAS_BACKEND"] == "torch"


def test_a_configured_backend_that_is_missing_is_passed_over(monkeypatch, tmp_path):
    for name, value in written(tmp_path, backend="torch", floatx="float16").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(_choice, "_installed", lambda name: name == "tensorflow")
    _choice.choose_backend()
    assert _choice.os.environ["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_keras_json_is_passed_over(monkeypatch, tmp_path, text):
    (tmp_path / "keras.json").write_text(text)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert _choice._configured_backend() is None


def test_no_backend_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "")
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(_choice, "_installed", lambda name: False)
    with pytest.raises(ImportError, match="pip install jax"):
        _choice.choose_backend()


def test_an_imported_keras_is_left_alone(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    _choice.choose_backend()
    assert "KERAS_BACKEND" not in _choice.os.environ


def test_tensorflow_is_hidden_for_a_while(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with _choice.tensorflow_hidden(), pytest.raises(ImportError):
        import tensorflow  # noqa: F401
    assert "tensorflow" not in sys.modules


def test_threads_leave_keras_as_it_was(monkeypatch):
    from keras.src.utils import module_utils

    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(module_utils.tensorflow, "_available", None)
    seen, both_inside = [], threading.Barrier(2, timeout=10)
    first_is_out = threading.Event()

    def run(leaves_first):
        with _choice.keras_without_tensorflow():
            both_inside.wait()
            if not leaves_first:
                first_is_out.wait(10)
            seen.append(module_utils.tensorflow._available)
        if leaves_first:
            first_is_out.set()

    threads = [threading.Thread(target=run, args=(first,)) for first in (True, False)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert seen == [False, False]
    assert module_utils.tensorflow._available is None


@pytest.mark.parametrize(
    ("name", "message"),
    [("torch", r"KERAS_BACKEND is 'torch', but torch is not installed.*skanomaly\[torch\]"),
     ("numpy", r"one of jax, tensorflow, torch, but .* KERAS_BACKEND is 'numpy'")],
)  # fmt: skip
def test_a_backend_that_cannot_be_used_is_named(monkeypatch, name, message):
    monkeypatch.setenv("KERAS_BACKEND", name)
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(_choice, "_installed", lambda name: False)
    with pytest.raises(ImportError, match=message):
        _choice.choose_backend()


def test_a_missing_backend_is_told_in_few_lines():
    code = "from skanomaly import AutoencoderDetector"
    environment = {**os.environ, "KERAS_BACKEND": "nonsense", "PYTHONPATH": str(PARENT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "KERAS_BACKEND is 'nonsense'" in done.stderr
    assert done.stderr.count("File ") <= 3


def test_loading_a_backend_moves_no_global_generator(fresh_python):
    code = (
        "import numpy as np; from scipy import stats; import sklearn.ensemble; np.random.seed(0);"
        "from skanomaly import AutoencoderDetector; print(np.random.random())"
    )
    assert float(fresh_python(code)) == np.random.RandomState(0).random_sample()
