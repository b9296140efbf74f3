"""Speed of skanomaly next to its peers: ``python benchmarks/speed.py [--quick] [--only NAME]``.

Every comparison runs ours and the peer in turn, in one process (or in one pair of fresh processes
where starting is what is measured), and prints medians and their ratio, which a busy machine
moves far less than the times themselves. Peers that are not installed are skipped. Figures go to
``benchmarks/results/speed.csv`` (``speed_quick.csv`` with ``--quick``), where the lines of other
runs stay, the plot of time against rows to ``speed.png`` next to it.
"""

import argparse
import csv
import importlib.util
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

# One core for the matrix products that ours are compared with, before NumPy is loaded
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.pop("SKANOMALY_CACHE_DIR", None)  # it would spare the peers on JAX their compilations

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path(__file__).parent / "results"
COLUMNS = ("comparison", "ours", "peer", "unit", "ratio", "wanted", "met")
D, WIDTHS = 32, (64, 64)
N_WEIGHTS = D * 64 + 64 * 64 + 64 * D


class Table:
    """Lines of figures, printed as they come."""

    def __init__(self):
        self.lines = []
        print(f"{'comparison':<58}{'ours':>11}{'peer':>11} {'unit':<9}{'ratio':>8}{'wanted':>9}")

    def add(self, name, ours, peer, unit, wanted, at_most=False):
        """Add a line; the ratio is ours over the peer's where more is better, or `at_most`."""
        ratio = ours / peer if (at_most or unit not in ("s", "ms")) else peer / ours
        met = ratio <= wanted if at_most else ratio >= wanted
        self.lines.append((name, ours, peer, unit, round(ratio, 3), wanted, met))
        sign = "<=" if at_most else ">="
        line = f"{name:<58}{ours:>11.4g}{peer:>11.4g} {unit:<9}{ratio:>8.2f}{sign:>4}{wanted:>5g}"
        print(line + ("" if met else "  NOT MET"), flush=True)

    def note(self, text):
        """Print what is missing."""
        print(f"  {text}", flush=True)

    def write(self, path):
        """Write all lines as CSV; lines of comparisons not run this time stay."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = {}
        if path.exists():
            with open(path, newline="") as file:
                lines = {line[0]: line for line in list(csv.reader(file))[1:]}
        for name, ours, peer, *rest in self.lines:
            lines[name] = [name, figure(ours), figure(peer), *rest]
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *lines.values()])


def figure(value):
    """Return a number with three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def installed(table, *names):
    """Tell whether all packages are there; say so where one is not."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        table.note(f"skipped: {', '.join(missing)} not installed")
    return not missing


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def alternate(ours, peer, repeats):
    """Return the medians of two functions' times, measured in turn after one warm-up each."""
    ours(), peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(repeats)]
    return [statistics.median(times) for times in zip(*pairs, strict=True)]


def rows(n, d=D, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def autoencoder(**kwargs):
    from skanomaly import AutoencoderDetector

    settings = {"hidden_layer_sizes": WIDTHS, "random_state": 0}
    return AutoencoderDetector("plain", **settings | kwargs)


def pyod_autoencoder(widths=(64, 64), **kwargs):
    from pyod.models.auto_encoder import AutoEncoder

    settings = {"batch_norm": False, "dropout_rate": 0.0, "verbose": 0}
    return AutoEncoder(hidden_neuron_list=list(widths), **settings | kwargs)


def keras_network(d=D, widths=WIDTHS, rate=1e-3, **kwargs):
    import keras

    hidden = [keras.layers.Dense(width, activation="relu") for width in widths]
    network = keras.Sequential([keras.Input((d,)), *hidden, keras.layers.Dense(d)])
    network.compile(optimizer=keras.optimizers.Adam(rate), loss="mse", **kwargs)
    return network


# ---------------------------------------------------------------------- training


def training(table, quick):
    """Rows per second of whole fits at batch 32."""
    n, repeats = (4_000, 3) if quick else (20_000, 5)
    X, epochs = rows(n), 10
    speed = "rows/s"

    def add(name, ours, peer, peer_epochs, wanted):
        fast, slow = alternate(ours, peer, repeats)
        table.add(name, n * epochs / fast, n * peer_epochs / slow, speed, wanted)

    def ours():
        autoencoder(epochs=epochs).fit(X)

    if installed(table, "pyod", "torch"):
        # PyOD mirrors its list of widths: the nearest networks have three hidden layers
        deep = autoencoder(epochs=epochs, hidden_layer_sizes=(64, 64, 64))
        peer = pyod_autoencoder(epoch_num=1)
        name = "fit, 32-64-64-64-32, batch 32, PyOD AutoEncoder"
        add(name, lambda: deep.fit(X), lambda: peer.fit(X), 1, 15)
    from sklearn.neural_network import MLPRegressor

    peer = MLPRegressor(hidden_layer_sizes=WIDTHS, batch_size=32, max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        add("fit, 32-64-64-32, batch 32, MLPRegressor", ours, lambda: peer.fit(X, X), 2, 5)
    plain = keras_network()
    name = "fit, 32-64-64-32, batch 32, keras.Model.fit as written"
    add(name, ours, lambda: plain.fit(X, X, batch_size=32, verbose=0), 1, 4)
    best = keras_network(steps_per_execution=32, jit_compile=True)
    name = "fit, 32-64-64-32, batch 32, keras.Model.fit at its best"
    add(name, ours, lambda: best.fit(X, X, batch_size=32, epochs=2, verbose=0), 2, 1.5)


def arithmetic(table, quick):
    """Floating-point operations per second of training epochs against NumPy's products."""
    X = rows(4_096 if quick else 20_480)
    epochs = 20

    def products(batch):
        shapes = ((D, 64), (64, 64), (64, D))
        pairs = [(rows(batch, a), rows(a, b)) for a, b in shapes]
        return lambda: [a @ b for _ in range(200) for a, b in pairs]

    for batch in (256, 1024):
        times = {}
        for count in (1, 1 + epochs):
            fit = autoencoder(epochs=count, batch_size=batch).fit
            times[count], product = alternate(lambda f=fit: f(X), products(batch), 5)
        work = 6 * N_WEIGHTS * len(X) * epochs / (times[1 + epochs] - times[1])
        peer = 200 * 2 * N_WEIGHTS * batch / product
        name = f"training, batch {batch}, against numpy.matmul on one core"
        table.add(name, work / 1e9, peer / 1e9, "GFLOP/s", 0.5)


def refit(table, quick):
    """Refit of a known configuration against SciKeras."""
    import keras
    from scikeras.wrappers import BaseWrapper

    X, epochs = rows(455, 30), 20

    def peer():
        wrapper = BaseWrapper(lambda: keras_network(30), epochs=epochs, batch_size=32, verbose=0)
        wrapper.fit(X, X)
        keras.utils.clear_session(free_memory=False)

    fast, slow = alternate(
        lambda: autoencoder(epochs=epochs).fit(X), peer, 2 if quick else 5
    )  # fmt: skip
    table.add("refit, n = 455, d = 30, 20 epochs, SciKeras", fast, slow, "s", 30)


def grid(table, quick):
    """Search a grid over 12 candidates and 5 folds of breast cancer."""
    from scikeras.wrappers import BaseWrapper
    from sklearn.datasets import load_breast_cancer
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GridSearchCV
    from sklearn.preprocessing import StandardScaler

    from skanomaly.training import _compiled

    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X).astype(np.float32)
    shapes = [(16,), (32, 16)] if quick else [(16,), (32, 16), (64, 32)]
    rates = [1e-3] if quick else [3e-4, 1e-3, 3e-3, 1e-2]
    epochs, folds = 20, 2 if quick else 5

    def search(estimator, widths, rate, score):
        grid = {widths: shapes, rate: rates}
        GridSearchCV(estimator, grid, cv=folds, scoring=score, refit=False, n_jobs=1).fit(X, y)

    def ours():
        def score(estimator, X, y):
            return roc_auc_score(y, estimator.score_samples(X))

        search(autoencoder(epochs=epochs), "hidden_layer_sizes", "learning_rate", score)

    def build(widths=(16,), rate=1e-3):
        return keras_network(30, widths, rate)

    class Rebuilder(BaseWrapper):
        def fit(self, X, y=None):
            return super().fit(X, X)

    def scikeras():
        def score(estimator, X, y):
            error = np.mean((estimator.predict(X).reshape(X.shape) - X) ** 2, axis=1)
            return roc_auc_score(y, -error)

        settings = {"model__widths": (16,), "model__rate": 1e-3, "epochs": epochs}
        peer = Rebuilder(build, batch_size=32, verbose=0, **settings)
        search(peer, "model__widths", "model__rate", score)

    def pyod():
        def score(estimator, X, y):
            return roc_auc_score(y, -estimator.decision_function(X))

        peer = pyod_autoencoder(epoch_num=epochs)
        search(peer, "hidden_neuron_list", "lr", score)

    name = f"GridSearchCV, {len(shapes) * len(rates)} candidates x {folds} folds"
    peers, repeats = [(scikeras, "SciKeras", 10)], 1 if quick else 5
    if installed(table, "pyod", "torch"):
        peers.append((pyod, "PyOD", 2))
    for peer, label, wanted in peers:
        pairs = []
        for _ in range(repeats):
            _compiled.clear()  # compilations belong to both
            pairs.append((seconds(ours), seconds(peer)))
        fast, slow = (statistics.median(times) for times in zip(*pairs, strict=True))
        table.add(f"{name}, {label}", fast, slow, "s", wanted)


# ---------------------------------------------------------------------- starting


def fresh(code, **environment):
    """Run code in a new process and return the number it prints last."""
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


OURS_FIRST = """
import numpy as np, time
X = np.random.default_rng(0).normal(size=(455, 30)).astype("float32")
import jax, keras, scikeras.wrappers
from skanomaly import AutoencoderDetector
start = time.perf_counter()
AutoencoderDetector("plain", epochs=20, random_state=0).fit(X)
print(time.perf_counter() - start)
"""
KERAS_FIRST = """
import numpy as np, time
X = np.random.default_rng(0).normal(size=(455, 30)).astype("float32")
import jax, keras
start = time.perf_counter()
layers = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
network = keras.Sequential([keras.Input((30,)), *layers, keras.layers.Dense(30)])
network.compile(optimizer="adam", loss="mse")
network.fit(X, X, batch_size=32, epochs=20, verbose=0)
network.predict(X, verbose=0)
print(time.perf_counter() - start)
"""


def start(table, quick):
    """First fit in a fresh process, cold and with a warm persistent cache; import time."""
    import tempfile

    repeats = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        fresh(OURS_FIRST, SKANOMALY_CACHE_DIR=folder)
        times = [
            (fresh(OURS_FIRST), fresh(KERAS_FIRST), fresh(OURS_FIRST, SKANOMALY_CACHE_DIR=folder))
            for _ in range(repeats)
        ]
    cold, plain, warm = (statistics.median(column) for column in zip(*times, strict=True))
    table.add("first fit, over plain Keras on JAX", cold, plain, "s", 1.0, at_most=True)
    table.add("first fit, warm persistent cache", warm, plain, "s", 0.3, at_most=True)
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    both = "import sklearn, time; t = time.perf_counter(); import skanomaly; print(time.perf_counter() - t)"  # noqa: E501
    over = [(fresh(both), fresh(code.format("sklearn"))) for _ in range(repeats)]
    ours, peer = (1e3 * statistics.median(column) for column in zip(*over, strict=True))
    table.add("import skanomaly over import sklearn, against 50 ms", ours, 50.0, "ms", 1.0, True)
    table.note(f"import sklearn itself: {peer:.0f} ms")


# ---------------------------------------------------------------------- scoring


def scoring(table, quick):
    """Scores of one row, a thousand and a million, against PyOD."""
    if not installed(table, "pyod", "torch"):
        return
    X = rows(2_000)
    ours = autoencoder(epochs=1, hidden_layer_sizes=(64, 64, 64)).fit(X)
    peer = pyod_autoencoder(epoch_num=1).fit(X)
    many = 50_000 if quick else 1_000_000
    for n, inner, wanted in ((1, 50, 2), (1_000, 20, 3), (many, 1, 3)):
        Z, best = rows(n), None
        for batch in [32] if n == 1 else [1_024, 65_536]:
            peer.batch_size = batch
            pair = alternate(
                lambda Z=Z, k=inner: [ours.score_samples(Z) for _ in range(k)],
                lambda Z=Z, k=inner: [peer.decision_function(Z) for _ in range(k)],
                5,
            )
            best = pair if best is None or pair[1] < best[1] else best
        fast, slow = (1e3 * t / inner for t in best)
        table.add(f"score_samples, {n:,} rows, PyOD decision_function", fast, slow, "ms", wanted)


def members(table, quick):
    """Several networks trained in one program against one."""
    X, steps = rows(5_000), 300 if quick else 2_000
    settings = {"hidden_layer_sizes": WIDTHS, "latent_dim": None, "noise": 0.1}

    def fit(count):
        detector = autoencoder(max_steps=steps, epochs=None, n_estimators=count, **settings)
        return lambda: detector.fit(X)

    for count, wanted in ((4, 2.5), (8, 4)):
        some, one = alternate(fit(count), fit(1), 3 if quick else 5)
        table.add(f"{count} members against 1", some, one, "s", wanted, at_most=True)


# ---------------------------------------------------------------------- size

SIZED = """
import re, resource, sys, time
from pathlib import Path
import numpy as np
from skanomaly import AutoencoderDetector
n = {n}
X = np.empty((n, 20), np.float32)
rng = np.random.default_rng(0)
for k in range(0, n, 10_000):
    X[k:k + 10_000] = rng.normal(size=X[k:k + 10_000].shape)
def peak():
    status = Path("/proc/self/status")
    if status.exists():  # getrusage begins with what the process had that started this one
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def detector():
    return AutoencoderDetector("plain", epochs={epochs}, batch_size=1024, random_state=0)
detector().fit(X[:100_000])  # compiled programs and buffers do not grow with n
before = peak()
def fit():
    t = time.perf_counter()
    detector().fit(X)
    return time.perf_counter() - t
times = [fit()]
after = peak()  # of one fit
times += [fit() for _ in range({repeats} - 1)]
print(np.median(times) / n * 1e6, (after - before) * 1024 / X.nbytes)
"""


def size(table, quick):
    """Time per row and memory beyond the data, for more and more rows."""
    sizes = (10**4, 10**5) if quick else (10**4, 10**5, 10**6, 10**7)
    epochs, found = 2 if quick else 20, []
    for n in sizes:
        repeats = 1 if quick else 2 if n > 10**6 else 5
        code = SIZED.format(n=n, epochs=epochs, repeats=repeats)
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        per_row, memory = map(float, done.stdout.split()[:2])
        found.append((n, per_row))
        table.note(f"n = {n:>10,} x 20: {per_row:.3f} us a row")
        if n >= 10**6:
            name = f"fit of {n:,} x 20: memory beyond the data, share of it"
            table.add(name, memory, 1.0, "of data", 0.5, at_most=True)
    if not quick:
        spent = [per_row for _, per_row in found]
        name = f"fit of {epochs} epochs, time a row, 10^4 to 10^7 rows, most over least"
        table.add(name, max(spent), min(spent), "us", 1.2, at_most=True)
    _plot(table, found, epochs)


def _plot(table, found, epochs):
    if not installed(table, "matplotlib"):
        return
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    n, spent = np.array([(n, n * per_row / 1e6) for n, per_row in found]).T
    figure, axes = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    axes.loglog(n, spent, "o-", color="#0072B2", label="measured")
    axes.loglog(n, n * spent[-1] / n[-1], "--", color="gray", label="proportional to the rows")
    axes.set(xlabel="rows, 20 columns each", ylabel=f"seconds for fit, {epochs} epochs")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    RESULTS.mkdir(parents=True, exist_ok=True)
    figure.savefig(RESULTS / "speed.png", dpi=150)


SHAPED = """
import warnings
import numpy as np, psutil
warnings.simplefilter("ignore")
from skanomaly import AutoencoderDetector
rng, held = np.random.default_rng(0), psutil.Process().memory_info
for i in range({fits}):
    X = rng.normal(size=(int(rng.integers(100, 1500)), int(rng.integers(2, 60))))
    recipe = dict(recipe="plain", epochs=1) if i % 10 else dict(recipe="fast")
    AutoencoderDetector(**recipe, random_state=0).fit(X).score_samples(X[:50])
    if i == 9:
        before = held().rss
print((held().rss - before) / 2**20)
"""


def shapes(table, quick):
    """Memory of a process that fits tables of ever other shapes."""
    if not installed(table, "psutil"):
        return
    fits = 12 if quick else 1000
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SHAPED.format(fits=fits)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    name = f"memory of {fits:,} fits of different shapes, beyond the first ten"
    table.add(name, float(done.stdout), 1.0, "MiB", 300, at_most=True)


# ---------------------------------------------------------------------- GPU


def gpu(table, quick):
    """Training of wide networks, d = 512, against the products of their shapes alone."""
    import jax

    if jax.default_backend() != "gpu":
        table.note("skipped: JAX finds no GPU here")
        return
    d, width, batch, epochs = 512, 1024, 4096, 5 if quick else 20
    X = rows(batch * 32, d)
    shapes = ((d, width), (width, width), (width, d))
    pairs = [(jax.device_put(rows(batch, a)), jax.device_put(rows(a, b))) for a, b in shapes]
    product = jax.jit(lambda pairs: [a @ b for a, b in pairs])
    times = {}
    for count in (1, 1 + epochs):
        fit = autoencoder(epochs=count, batch_size=batch, hidden_layer_sizes=(width, width)).fit
        times[count], limit = alternate(
            lambda f=fit: f(X),
            lambda: jax.block_until_ready([product(pairs) for _ in range(100)]),
            5,
        )
    speed = len(X) * epochs / (times[1 + epochs] - times[1])
    most = 100 * batch / limit / 3  # forward, and backward for weights and for inputs
    table.add(
        "training, 512-1024-1024-512 on a GPU, rows of its products", speed, most, "rows/s", 0.5
    )


SECTIONS = {
    function.__name__: function
    for function in (
        training,
        arithmetic,
        refit,
        grid,
        start,
        scoring,
        members,
        size,
        shapes,
        gpu,
    )
}


def main(arguments=None):
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    options = parser.parse_args(arguments)
    table = Table()
    for name in options.only:
        SECTIONS[name](table, options.quick)
    table.write(RESULTS / ("speed_quick.csv" if options.quick else "speed.csv"))
    return table


if __name__ == "__main__":
    main()
