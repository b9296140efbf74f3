"""On a cluster of processes: the same detector and scores, also when workers are killed."""

import json

CODE = """
import json, os, sys, time
import dask, dask.array as da, numpy as np
from distributed import Client, LocalCluster
from skanomaly import AutoencoderDetector
from skanomaly.distributed import DaskDetector

folder = sys.argv[1]

def read(number, deadly):
    flag = os.path.join(folder, deadly)
    if deadly and number == 3 and not os.path.exists(flag):
        open(flag, "w").close()
        os._exit(1)  # the worker is gone, and with it what it held
    rows = np.random.default_rng(number).normal(size=(200, 3))
    return rows

def rows(deadly=""):
    parts = [dask.delayed(read, pure=False)(number, deadly) for number in range(6)]
    return da.concatenate([da.from_delayed(part, (200, 3), float) for part in parts])

def detector():
    inside = AutoencoderDetector("plain", epochs=1, hidden_layer_sizes=4, random_state=0)
    return DaskDetector(inside, max_rows=300)

expected = detector().fit(rows())
scores = expected.score_samples(rows()).compute(scheduler="synchronous")
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
    with Client(cluster) as client:
        fitted = detector().fit(rows("fit"))
        found = fitted.score_samples(rows("score")).compute()
        explained = fitted.explain(rows()[:3], n_references=1).compute()
        blocked = detector()
        try:
            blocked.fit(da.concatenate([rows(), da.full((9, 3), np.inf)]))
        except ValueError as error:
            message = str(error)
        print(json.dumps({
            "killed": sorted(os.listdir(folder)),
            "same": bool((found == scores).all()) and fitted.offset_ == expected.offset_,
            "explained": explained.shape,
            "message": message,
            "untouched": sorted(vars(blocked)),
        }), flush=True)
        os._exit(0)  # closing a cluster that lost workers can take long
"""


def test_killed_workers_change_nothing_and_failures_are_named(fresh_python, tmp_path):
    found = json.loads(fresh_python(CODE, tmp_path).splitlines()[-1])
    assert found["killed"] == ["fit", "score"]
    assert found["same"]
    assert found["explained"] == [3, 3]
    assert "partition 6 of X: the column 0 holds infinite values" in found["message"]
    assert found["untouched"] == ["estimator", "max_rows", "train_on"]
