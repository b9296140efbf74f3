"""Detectors on a GPU: ``python benchmarks/gpu.py [--quick]``, at most eight minutes.

Runs on whatever device JAX finds first; ``--quick`` is the smallest size, for any machine. Parts:

- rows a second of training, wide (512-1024-1024-512) and the default recipe, by batch size, and
  their share of the roofline: the larger of the time of the matrix products of the same shapes
  and of moving weights, gradients, optimizer state and activations at the measured bandwidth;
- fit and scores of a table against PyOD's AutoEncoder on the same device, where it is installed;
- scores of one fitted detector on this device and on the CPU.

Figures go to ``benchmarks/results/gpu.csv`` (``gpu_quick.csv``). Parts that would begin after
eight minutes are left out, and named.
"""

import argparse
import csv
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import itertools

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path(__file__).parent / "results"
LIMIT_S = 480
#: Scores on two devices differ by no more, relative to their spread; ranks correlate above that.
TOLERANCE, RANKS = 1e-2, 0.9999


class Figures:
    """Lines of figures, printed as they come, and the time that is left."""

    def __init__(self):
        self.lines, self.start = [], time.perf_counter()

    def add(self, what, value, unit):
        """Add a line."""
        self.lines.append((what, f"{value:.4g}", unit))
        print(f"{what:<64} {value:>11.4g} {unit}", flush=True)

    def late(self, what):
        """Tell whether the time is up."""
        late = time.perf_counter() - self.start > LIMIT_S
        if late:
            print(f"  left out after {LIMIT_S} s: {what}", flush=True)
        return late

    def write(self, path):
        """Write all lines as CSV."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([("what", "value", "unit"), *self.lines])


def seconds(function, repeats=3):
    """Return the median time of a function, after one run to warm up."""
    import jax

    jax.block_until_ready(function())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def table(n, d):
    """Return rows on a plane of a quarter of the dimensions, with noise."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(n, max(d // 4, 1))) @ rng.normal(size=(max(d // 4, 1), d))
    return (rows + rng.normal(scale=0.1, size=rows.shape)).astype(np.float32)


def bandwidth(quick):
    """Return bytes a second that are read and written."""
    import jax
    import jax.numpy as jnp

    add = jax.jit(lambda v: v + 1)
    values = jnp.ones(2**20 if quick else 2**28, jnp.float32)
    return 2 * values.nbytes / seconds(lambda: add(values))


def step_limit(widths, batch, members, speed):
    """Return seconds that a training step takes at least: products, or moving what it needs."""
    import jax
    import jax.numpy as jnp

    shapes = list(itertools.pairwise(widths))
    pairs = [(jnp.ones((members, batch, a)), jnp.ones((members, a, b))) for a, b in shapes]
    count = 20

    @jax.jit
    def products(pairs):
        def once(_, total):
            return total + sum((a @ (b + total)).sum() for a, b in pairs) * 1e-30

        return jax.lax.fori_loop(0, count, once, 0.0)

    forward = seconds(lambda: products(pairs)) / count
    weights, activations = (sum(a * b for a, b in shapes), batch * sum(widths))
    moved = 4 * members * (6 * weights + 3 * activations)  # Adam: weights, gradients, two moments
    return max(3 * forward, moved / speed)


def training(figures, quick):
    """Rows a second of training, and the share of the roofline."""
    speed = bandwidth(quick)
    figures.add("memory bandwidth", speed / 1e9, "GB/s")
    wide = (16, 32, 32, 16) if quick else (512, 1024, 1024, 512)
    narrow = (32, 128, 64, 32, 64, 128, 32)
    for batch in (256,) if quick else (256, 1024, 4096, 8192):
        for name, widths, members in (("wide", wide, 1), ("default", narrow, 4)):
            if figures.late(f"training, {name}, batch {batch}"):
                return
            taken = step_time(widths, batch, members, quick)
            figures.add(f"training, {name}, batch {batch}", batch / taken, "rows/s")
            share = step_limit(widths, batch, members, speed) / taken
            figures.add(f"training, {name}, batch {batch}, of the roofline", share, "")


def step_time(widths, batch, members, quick):
    """Return seconds of a step of ours: what more steps take, over their number."""
    from skanomaly import AutoencoderDetector

    few, many = (64, 128) if quick else (512, 2048)
    X, times = table(4 * batch, widths[0]), {}
    params = {"recipe": "plain", "hidden_layer_sizes": widths[1:-1], "latent_dim": None}
    if members > 1:
        params = {"recipe": "multiscale", "anomaly_score": "reconstruction"}
    for steps in (few, many):
        params |= {"max_steps": steps, "epochs": None if members == 1 else "auto"}
        model = AutoencoderDetector(batch_size=batch, random_state=0, **params)
        times[steps] = seconds(lambda m=model: m.fit(X) and 0.0)
    return max((times[many] - times[few]) / (many - few), 1e-9)


def fit_and_score(figures, quick):
    """Fit and score a table, beside PyOD."""
    from skanomaly import AutoencoderDetector

    n, d, epochs, batch = (2000, 16, 1, 256) if quick else (200_000, 64, 10, 1024)
    X = table(n, d)
    for recipe, params in (
        ("default", {}),
        ("plain", {"recipe": "plain", "epochs": epochs, "batch_size": batch}),
    ):
        if figures.late(f"fit and score, {recipe}"):
            return
        model = AutoencoderDetector(random_state=0, **params)
        figures.add(f"fit, {recipe}, {n} x {d}", seconds(lambda m=model: m.fit(X) and 0.0, 1), "s")
        scored = seconds(lambda m=model: m.score_samples(X), 1)
        figures.add(f"scores, {recipe}, {n} x {d}", n / scored, "rows/s")
    try:
        from pyod.models.auto_encoder import AutoEncoder
    except ImportError:
        print("  PyOD is not installed: no comparison", flush=True)
        return
    if figures.late("PyOD"):
        return
    peer = AutoEncoder(
        hidden_neuron_list=[64, 64], batch_norm=False, dropout_rate=0.0, verbose=0,
        epoch_num=epochs, batch_size=batch,
    )  # fmt: skip
    figures.add(f"fit, PyOD, {n} x {d}", seconds(lambda: peer.fit(X) or 0.0, 1), "s")
    figures.add(
        f"scores, PyOD, {n} x {d}", n / seconds(lambda: peer.decision_function(X), 1), "rows/s"
    )


ON_CPU = """
import pickle, sys
import numpy as np
with open(sys.argv[1], "rb") as file:
    model, X = pickle.load(file)
np.save(sys.argv[2], model.score_samples(X))
"""


def agreement(figures, quick):
    """Score the same rows with the same detector here and on the CPU."""
    from scipy.stats import spearmanr

    from skanomaly import AutoencoderDetector

    if figures.late("scores on the CPU"):
        return
    X = table(500 if quick else 20_000, 16)
    model = AutoencoderDetector(random_state=0, max_steps=20 if quick else 600).fit(X)
    here = model.score_samples(X)
    with tempfile.TemporaryDirectory() as folder:
        model_file, scores = Path(folder) / "model.pickle", Path(folder) / "scores.npy"
        with open(model_file, "wb") as file:
            pickle.dump((model, X), file)
        environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", ON_CPU, str(model_file), str(scores)]
        subprocess.run(command, check=True, env=environment)
        there = np.load(scores)
    off = np.abs(here - there).max() / here.std()
    figures.add("scores here and on the CPU: largest difference over spread", off, "")
    ranks = spearmanr(here, there)[0]
    figures.add("scores here and on the CPU: rank correlation", ranks, "")
    if off > TOLERANCE or ranks < RANKS:
        raise SystemExit(f"scores differ by more than {TOLERANCE} or rank below {RANKS}")


def main(arguments=None):
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the smallest size, on any device")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    import jax

    print(f"device: {jax.devices()[0].device_kind} ({jax.default_backend()})")
    figures = Figures()
    for part in (training, fit_and_score, agreement):
        part(figures, options.quick)
    figures.write(RESULTS / ("gpu_quick.csv" if options.quick else "gpu.csv"))
    return figures


if __name__ == "__main__":
    main()
