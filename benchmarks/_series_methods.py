"""Methods of the benchmark of series: ours, peers on windows, and plain statistics.

Every method is a function of (training part, whole series, seed) that returns ``(scores, flags)``:
high scores for abnormal time stamps, and 0/1 predictions or None where it makes none.
"""

import numpy as np
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from skanomaly import AutoencoderDetector, WindowedDetector


def windowed(estimator, **settings):
    """Return the method of a WindowedDetector."""

    def run(train, whole, seed):
        model = WindowedDetector(estimator, random_state=seed, **settings).fit(train)
        scores = model.score_samples(whole)
        return -scores, (scores < model.offset_).astype(int)

    return run


def neighbours(train, whole, seed, size=200):
    """Return the distance to the nearest training window of 200, the mean over windows."""
    size = max(1, min(size, len(train) // 3))
    centre, scale = train.mean(axis=0), train.std(axis=0) + 1e-12
    view = np.lib.stride_tricks.sliding_window_view
    windows = view(((whole - centre) / scale).reshape(-1), size * whole.shape[1])
    windows = windows[:: whole.shape[1]]
    known = windows[: len(train) - size + 1][:: max(1, (len(train) - size) // 1500)]
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(known)
    parts = [windows[i : i + 1024] for i in range(0, len(windows), 1024)]
    distances = np.concatenate([search.kneighbors(part)[0][:, 0] for part in parts])
    total, count = np.zeros(len(whole)), np.zeros(len(whole))
    for step in range(size):
        total[step : step + len(distances)] += distances
        count[step : step + len(distances)] += 1
    return total / count, None


def z_score(train, whole, seed):
    """Return the distance from the training mean in standard deviations; flags beyond three."""
    scores = np.abs((whole - train.mean(axis=0)) / (train.std(axis=0) + 1e-12)).max(axis=1)
    return scores, (scores > 3).astype(int)


def principal_components(train, whole, seed):
    """Return Hotelling's T2 and the residual Q of rows, the larger, in units of their 99%."""
    centre, scale = train.mean(axis=0), train.std(axis=0) + 1e-12
    known, rows = (train - centre) / scale, (whole - centre) / scale
    n_components = 0.9 if known.shape[1] > 1 else 1
    model = PCA(n_components, svd_solver="full").fit(known)
    inner = EmpiricalCovariance().fit(model.transform(known))

    def statistics(X):
        codes = model.transform(X)
        rest = ((X - model.inverse_transform(codes)) ** 2).sum(axis=1)
        return np.stack([inner.mahalanobis(codes), rest])

    tops = np.maximum(np.quantile(statistics(known), 0.99, axis=1), 1e-9)
    scores = (statistics(rows) / tops[:, None]).max(axis=0)
    return scores, (scores > 1).astype(int)


def keras_lstm(train, whole, seed, size=60):
    """Return the squared error of an LSTM autoencoder, as the tutorials have it."""
    import keras

    keras.utils.set_random_seed(seed)
    size = max(2, min(size, len(train) // 3))
    centre, scale = train.mean(axis=0), train.std(axis=0) + 1e-12
    view = np.lib.stride_tricks.sliding_window_view
    windows = view((whole - centre) / scale, size, axis=0).transpose(0, 2, 1).astype("float32")
    model = keras.Sequential(
        [
            keras.layers.Input(windows.shape[1:]),
            keras.layers.LSTM(64),
            keras.layers.RepeatVector(size),
            keras.layers.LSTM(64, return_sequences=True),
            keras.layers.Dense(windows.shape[2]),
        ]
    )
    model.compile("adam", "mae")
    known = windows[: len(train) - size + 1]
    model.fit(known, known, epochs=20, batch_size=32, verbose=0)
    errors = np.abs(model.predict(windows, verbose=0) - windows).mean(axis=(1, 2))
    scores = np.r_[np.full(size - 1, errors[0]), errors]
    return scores, (scores > errors[: len(known)].max()).astype(int)


def matrix_profile(train, whole, seed, size=100):
    """Return stumpy's distance of every window to its nearest training window."""
    import stumpy

    size = max(4, min(size, len(train) // 3))
    profiles = [
        stumpy.stump(whole[:, j].astype(float), size, train[:, j].astype(float), False)[:, 0]
        for j in range(whole.shape[1])
    ]
    profile = np.nan_to_num(np.mean(np.array(profiles, dtype=float), axis=0), posinf=0.0)
    total, count = np.zeros(len(whole)), np.zeros(len(whole))
    for step in range(size):
        total[step : step + len(profile)] += profile
        count[step : step + len(profile)] += 1
    return total / count, None


def pyod(module, name, **settings):
    """Return the method of a detector of time series of PyOD."""

    def run(train, whole, seed):
        np.random.seed(seed)  # noqa: NPY002
        model = getattr(__import__(f"pyod.models.{module}", fromlist=[name]), name)(**settings)
        scores = model.fit(train).decision_function(whole)
        flags = (scores > model.threshold_).astype(int)
        return np.nan_to_num(scores, posinf=np.max(scores[np.isfinite(scores)])), flags

    return run


METHODS = {
    "skanomaly": windowed(AutoencoderDetector()),
    "skanomaly multiscale": windowed(AutoencoderDetector("multiscale")),
    "skanomaly mean": windowed(AutoencoderDetector(), aggregation="mean"),
    "skanomaly conv1d": windowed(AutoencoderDetector(architecture="conv1d")),
    "skanomaly lstm": windowed(AutoencoderDetector(architecture="lstm")),
    "skanomaly gru": windowed(AutoencoderDetector(architecture="gru")),
    "skanomaly forest": windowed(IsolationForest()),
    "skanomaly forest mean": windowed(IsolationForest(), aggregation="mean"),
    "nearest window of 200": neighbours,
    "z-score": z_score,
    "PCA T2 and Q": principal_components,
    "LSTM autoencoder": keras_lstm,
    "stumpy": matrix_profile,
    "PyOD TimeSeriesOD(IForest)": pyod("ts_od", "TimeSeriesOD"),
    "PyOD TimeSeriesOD(KNN)": pyod("ts_od", "TimeSeriesOD", detector="KNN"),
    "PyOD TimeSeriesOD(KNN), 200": pyod("ts_od", "TimeSeriesOD", detector="KNN", window_size=200),
}
_SLOW = ("skanomaly multiscale", "skanomaly conv1d", "skanomaly lstm", "skanomaly gru")
DEFAULT = [name for name in METHODS if name not in _SLOW]
QUICK = ["skanomaly forest", "nearest window of 200", "z-score", "PCA T2 and Q"]
