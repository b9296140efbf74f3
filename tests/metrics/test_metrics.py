"""The public door to metrics and scorers."""

import subprocess
import sys

from skanomaly import metrics


def test_public_names_exist():
    assert sorted(metrics.__all__) == metrics.__all__
    assert all(hasattr(metrics, name) for name in metrics.__all__)


def test_import_is_light():
    code = (
        "import sys, skanomaly.metrics, skanomaly.model_selection;"
        "sys.exit(any(m in sys.modules for m in ('keras', 'jax', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
