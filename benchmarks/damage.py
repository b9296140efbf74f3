"""Files of skanomaly.io under damage: a clear error or the same scores, and nothing else.

    python benchmarks/damage.py --mutations 2000

Each mutation flips bits, cuts, repeats or overwrites bytes at random places of a saved file. Half
of them leave the digest as it is (accidents), half get one that fits (forgeries, which the digest
cannot tell). Says how each ended, the longest time, and the most memory that a load took, in units
of an honest load's.
"""

import argparse
import collections
import hashlib
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer

from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier
from skanomaly.io import load, save


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--detectors", nargs="+", default=["plain", "default", "classifier"])
    options = parser.parse_args()
    X, y = load_breast_cancer(return_X_y=True)
    detectors = {
        "plain": AutoencoderDetector("plain", epochs=5, random_state=0),
        "default": AutoencoderDetector(max_steps=20, random_state=0),
        "classifier": NeuralAnomalyClassifier(max_steps=20, random_state=0),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in options.detectors:
            path, detector = Path(folder, name), detectors[name].fit(X, y == 0)
            save(detector, path)
            report(name, path, detector.score_samples(X[:5]), X[:5], options)


def report(name, path, expected, X, options):
    """Print what becomes of mutations of one file."""
    data, rng = path.read_bytes(), np.random.default_rng(options.seed)
    honest = outcome(path, expected, X)[1]
    ends, slowest, most = collections.Counter(), 0.0, 0
    for number in range(options.mutations):
        content = mutated(data, rng)
        if number % 2 and len(content) > 64:
            content = content[:-64] + hashlib.sha256(content[:-64]).hexdigest().encode()
        path.write_bytes(content)
        start = time.perf_counter()
        end, peak = outcome(path, expected, X)
        slowest, most = max(slowest, time.perf_counter() - start), max(most, peak)
        ends["forged, " + end if number % 2 else end] += 1
    print(f"{name}: {len(data)} bytes, {options.mutations} mutations: {dict(ends)}")
    print(f"  slowest {slowest:.1f} s, memory {most / honest:.2f} of an honest load's")


def mutated(data, rng):
    """Return the bytes with one kind of damage."""
    content, place = bytearray(data), int(rng.integers(len(data)))
    match rng.integers(4):
        case 0:
            for place in rng.integers(len(data), size=rng.integers(1, 4)):
                content[place] ^= 1 << int(rng.integers(8))
        case 1:
            del content[place:]
        case 2:
            content[place:place] = content[place : place + int(rng.integers(1, 99))]
        case _:
            content[place : place + 8] = rng.bytes(8)
    return bytes(content)


def outcome(path, expected, X):
    """Return how a load ended, and the most memory that it took."""
    tracemalloc.start()
    try:
        scores = load(path).score_samples(X)
        end = "same scores" if np.array_equal(scores, expected) else "OTHER SCORES"
    except ValueError:
        end = "refused"
    except BaseException as error:
        end = f"CRASHED with {type(error).__name__}: {error}"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return end, peak


if __name__ == "__main__":
    main()
