"""The service on the page about production: eight threads ask at once, and all are answered."""

import importlib.util
import json
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import uvicorn

import skanomaly

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "service.py"
pytestmark = pytest.mark.skipif(
    not EXAMPLE.is_file(), reason="needs the repository, not the package"
)


@pytest.fixture(scope="module")
def address(autoencoder, tmp_path_factory):
    """Return the address of the example, running with a loaded detector."""
    path = tmp_path_factory.mktemp("service") / "detector.skops"
    skanomaly.io.save(autoencoder, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETECTOR", str(path))
        spec = importlib.util.spec_from_file_location("service", EXAMPLE)
        service = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(service)
    server = uvicorn.Server(uvicorn.Config(service.app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/score"
    server.should_exit = True
    thread.join()


def ask(address, rows):
    data = json.dumps({"rows": rows}).encode()
    request = urllib.request.Request(address, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_eight_threads_get_their_answers(address, autoencoder, labelled):
    parts = [labelled[0][start : start + 1 + start % 5] for start in range(80)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda rows: ask(address, rows.tolist()), parts))
    for rows, answer in zip(parts, answers, strict=True):
        np.testing.assert_array_equal(answer["scores"], autoencoder.score_samples(rows))
        np.testing.assert_array_equal(answer["anomalous"], autoencoder.predict(rows) == -1)


def test_missing_values_and_mistakes(address, autoencoder):
    answer = ask(address, [[0.1, None, 3.0, 99.0]])
    expected = autoencoder.score_samples([[0.1, np.nan, 3.0, 99.0]])
    np.testing.assert_array_equal(answer["scores"], expected)
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(address, [[1.0]])
    assert error.value.code == 422
    assert "4 features" in json.load(error.value)["detail"]
