"""Series for the benchmark of series: NAB, SKAB, and made-up ones with exact onsets.

Every reader returns ``{name: (values, labels, n_train)}``: an array (n_timestamps, n_channels),
0/1 labels, and the number of time stamps to train on. The collections are public:
https://github.com/numenta/NAB and https://github.com/waico/SKAB.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from _methods import UsageError

NAB_SHARE, SKAB_STAMPS, MADE_STAMPS = 0.15, 400, 1200
_LENGTH, _PERIODS = 4000, (50, 72, 31)


def read_nab(folder):
    """Return NAB's series with an anomaly behind the training part."""
    path = folder / "combined_windows.json"
    if not path.is_file():
        raise UsageError(f"--data must name a folder with combined_windows.json, got {folder}.")
    found = {}
    for name, windows in json.loads(path.read_text(encoding="utf-8")).items():
        file = next((p for p in (folder / name, folder / "data" / name) if p.is_file()), None)
        if file is None or not windows:
            continue
        table = pd.read_csv(file, parse_dates=["timestamp"])
        labels = np.zeros(len(table), dtype=int)
        for first, last in windows:
            labels[table["timestamp"].between(first, last)] = 1
        n_train = int(NAB_SHARE * len(labels))
        if labels[n_train:].any():
            found[Path(name).stem] = table[["value"]].to_numpy(np.float64), labels, n_train
    if not found:
        raise UsageError(f"{folder} has no labelled series: expected NAB's CSV files in it.")
    return found


def read_skab(folder):
    """Return SKAB's series: eight sensors, labels in the column ``anomaly``."""
    found = {}
    for file in sorted(folder.rglob("*.csv")):
        table = pd.read_csv(file, sep=";")
        if "anomaly" in table:
            channels = table.drop(columns=["datetime", "anomaly", "changepoint"])
            found[file.stem] = (
                channels.to_numpy(np.float64),
                table["anomaly"].to_numpy(int),
                (SKAB_STAMPS),
            )
    if not found:
        raise UsageError(f"{folder} has no series with a column 'anomaly': expected SKAB's files.")
    return found


def make_series(seeds=range(3), length=_LENGTH, n_train=MADE_STAMPS):
    """Return made-up series, one of each kind for each seed; labels mark what was done to them."""
    found = {}
    for seed in seeds:
        for number, (kind, make) in enumerate(KINDS.items()):
            rng = np.random.default_rng([seed, number])
            labels = np.zeros(length, dtype=int)
            X = make(rng, labels, n_train, _PERIODS[seed % len(_PERIODS)])
            found[f"{kind}_{seed}"] = X.reshape(length, -1), labels, n_train
    return found


def _wave(rng, phase, period):
    start = rng.uniform(0, 2 * np.pi)
    angle = 2 * np.pi * phase / period + start
    return np.sin(angle) + 0.4 * np.sin(2 * angle) + 0.1 * rng.normal(size=len(phase))


def _autoregressive(rng, n, memory):
    values = rng.normal(size=n)
    for i in range(1, n):
        values[i] += memory * values[i - 1]
    return values


def _places(rng, labels, n_train, count, length):
    """Return where anomalies begin, apart from each other, and label them."""
    n = len(labels)
    room = max(2 * length, (n - n_train - 2 * length) // (count + 1))
    starts = n_train + length + room * np.arange(count) + rng.integers(0, room // 2, count)
    starts = starts[starts + length < n]
    for start in starts:
        labels[start : start + length] = 1
    return starts


def _spikes(rng, labels, n_train, period):
    x = _wave(rng, np.arange(len(labels)), period)
    for start in _places(rng, labels, n_train, 4, 1):
        x[start] += rng.choice([-1, 1]) * rng.uniform(2, 3)
    return x


def _spikes_in_noise(rng, labels, n_train, period):
    x = _autoregressive(rng, len(labels), 0.8)
    for start in _places(rng, labels, n_train, 4, 1):
        x[start] += rng.choice([-1, 1]) * rng.uniform(9, 12)
    return x


def _shift(rng, labels, n_train, period):
    x = _wave(rng, np.arange(len(labels)), period)
    for start in _places(rng, labels, n_train, 2, 200):
        x[start : start + 200] += rng.choice([-1, 1]) * rng.uniform(1.5, 2.5)
    return x


def _shift_in_noise(rng, labels, n_train, period):
    x = _autoregressive(rng, len(labels), 0.5)
    for start in _places(rng, labels, n_train, 2, 200):
        x[start : start + 200] += rng.choice([-1, 1]) * 5
    return x


def _drift(rng, labels, n_train, period):
    x = _wave(rng, np.arange(len(labels)), period)
    for start in _places(rng, labels, n_train, 1, 400):
        x[start : start + 400] += np.linspace(0, 2.5, 400)
    return x


def _frequency(rng, labels, n_train, period):
    pace = np.ones(len(labels))
    for start in _places(rng, labels, n_train, 2, 200):
        pace[start : start + 200] = 1.6
    return _wave(rng, np.cumsum(pace), period)


def _missing_beats(rng, labels, n_train, period):
    n = len(labels)
    x = 0.05 * rng.normal(size=n)
    beats = np.arange(period // 2, n - 7, period)
    late = beats[(beats > n_train + 200) & (beats < n - 100)]
    missing = rng.choice(late, min(4, len(late)), replace=False)
    steps = np.arange(-6, 7)
    shape = np.exp(-(steps**2) / 6.0) - 0.3 * np.exp(-((steps - 4) ** 2) / 4.0)
    for beat in beats:
        if beat in missing:
            labels[beat - 6 : beat + 7] = 1
        else:
            x[beat + steps] += shape
    return x


def _decoupling(rng, labels, n_train, period):
    n = len(labels)
    sources = np.stack([_autoregressive(rng, n, 0.9) for _ in range(2)], axis=1)
    X = sources @ rng.normal(size=(2, 4)) + 0.3 * rng.normal(size=(n, 4))
    for start in _places(rng, labels, n_train, 2, 150):
        span, channel = slice(start, start + 150), rng.integers(4)
        X[span, channel] = np.roll(X[:, channel], n // 6)[span]  # as ever, but of another time
    return X


KINDS = {
    "spikes": _spikes,
    "spikes_in_noise": _spikes_in_noise,
    "shift": _shift,
    "shift_in_noise": _shift_in_noise,
    "drift": _drift,
    "frequency": _frequency,
    "missing_beats": _missing_beats,
    "decoupling": _decoupling,
}
