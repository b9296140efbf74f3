"""Several devices train one network, and give what one device gives."""

import json

import keras
import numpy as np
import pytest

from skanomaly import AutoencoderDetector
from skanomaly.training import _devices

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="other backends train by Keras' own loop"
)

CODE = """
import json
import keras, numpy as np
from skanomaly import AutoencoderDetector
from skanomaly.training import _compiled

X = np.random.default_rng(0).normal(size=(300, 5))
layers = [keras.layers.BatchNormalization(), keras.layers.Dense(5)]
own = keras.Sequential([keras.Input((5,)), *layers])
small = {"hidden_layer_sizes": 8, "batch_size": 32, "random_state": 0}
detectors = {
    "one": AutoencoderDetector("plain", epochs=3, early_stopping=True, **small),
    "members": AutoencoderDetector(
        max_steps=20, latent_dim=2, anomaly_score="residual", **small
    ),
    "odd": AutoencoderDetector(model=own, epochs=3, batch_size=31, random_state=0),
}

def weights_and_scores(detector):
    detector.fit(X)
    return [*detector.network_.get_weights(), detector.score_samples(X)]

before = {name: weights_and_scores(detector) for name, detector in detectors.items()}
keras.distribution.set_distribution(keras.distribution.DataParallel())
found = {}
for name, detector in detectors.items():
    _compiled.clear()
    now = weights_and_scores(detector)
    pairs = zip(now, before[name], strict=True)
    programs = [c for p in _compiled._programs.values() for c in p._compiled.values()]
    found[name] = {
        "error": max(float(np.abs(a - b).max() / (1e-3 + np.abs(b).max())) for a, b in pairs),
        "shared": any("all-reduce" in program.as_text() for program in programs),
        "devices": len(detector.network_.variables[0].value.sharding.device_set),
    }
keras.distribution.set_distribution(None)
found["after"] = float(np.abs(detectors["one"].score_samples(X) - before["one"][-1]).max())
print(json.dumps(found))
"""


def test_two_devices_give_what_one_gives(fresh_python):
    flags = "--xla_force_host_platform_device_count=2"
    found = json.loads(fresh_python(CODE, XLA_FLAGS=flags, KERAS_BACKEND="jax").splitlines()[-1])
    assert found.pop("after") < 1e-3
    assert max(result["error"] for result in found.values()) < 1e-3, found
    assert {name: result["shared"] for name, result in found.items()} == {
        "one": True, "members": True, "odd": False,
    }  # fmt: skip
    assert {result["devices"] for result in found.values()} == {2}


MEMBERS = """
import json
import jax
import numpy as np
from skanomaly import AutoencoderDetector
from skanomaly.training import _compiled

X = np.random.default_rng(0).normal(size=(300, 5))
detector = AutoencoderDetector(
    n_estimators=4, max_steps=20, hidden_layer_sizes=8, latent_dim=2, anomaly_score="residual",
    batch_size=32, random_state=0,
).fit(X)
compiled = [c for p in _compiled._programs.values() for c in p._compiled.values()]
lies = {d.id for c in compiled for s in jax.tree.leaves(c.input_shardings) for d in s.device_set}
weights = [w.tolist() for w in detector.network_.get_weights()]
print(json.dumps([sorted(lies), weights, detector.score_samples(X).tolist()]))
"""


def test_members_are_dealt_out_to_devices(fresh_python):
    one, two = (
        json.loads(
            fresh_python(
                MEMBERS,
                XLA_FLAGS=f"--xla_force_host_platform_device_count={n_devices}",
                KERAS_BACKEND="jax",
            ).splitlines()[-1]
        )
        for n_devices in (1, 2)
    )
    assert (one[0], two[0]) == ([0], [0, 1])
    assert one[1:] == two[1:]


class Other:
    """A distribution of another kind."""


def test_other_distributions_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(keras.distribution, "distribution", Other)
    with pytest.raises(ValueError, match=r"expected keras.distribution.DataParallel .* got Other"):
        AutoencoderDetector("plain", epochs=1).fit(np.eye(4))


def test_one_device_needs_no_mesh():
    assert _devices.mesh() is None
    assert _devices.everywhere(None, "state") == "state"
