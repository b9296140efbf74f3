"""Imports run downward only, and importing the package is cheap."""

import ast
import json
from pathlib import Path

import pytest

import skanomaly

FOLDER = Path(skanomaly.__file__).parent
MODULES = {path.stem for path in FOLDER.glob("*.py")}
#: The engine's rooms from the ground up: each may import rooms before it alone.
GROUND_UP = (
    "_version", "_backend", "_seeding", "_programs", "_sampling", "_weighted", "_scaling",
    "_forward", "_networks", "_parts", "_steps", "_loops", "_fused", "_progress", "_training",
    "_callbacks",
)  # fmt: skip


def imported(name):
    """Return the package's modules that a module imports, anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "skanomaly":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skanomaly."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {parts[1] for parts in names if parts[0] == "skanomaly" and len(parts) > 1}
    return found & MODULES


def outside(name):
    """Return the top-level names of what a module imports besides the package."""
    found = set()
    for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("name", GROUND_UP)
def test_engine_rooms_import_downward(name):
    assert imported(name) <= set(GROUND_UP[: GROUND_UP.index(name)])


def test_no_room_imports_in_a_circle():
    left = {name: imported(name) for name in MODULES - {"__init__", "__main__"}}
    while left:
        free = {name for name, needs in left.items() if not needs & left.keys()}
        assert free, f"these import each other: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}


def test_detectors_do_not_import_each_other():
    assert "_classifier" not in imported("_autoencoder")
    assert "_autoencoder" not in imported("_classifier")


def test_estimators_around_detectors_know_no_network():
    """They wrap any outlier detector, and load nothing that one of scikit-learn does not need."""
    networks = {"_base", "_training", "_autoencoder", "_classifier"}
    reached, left = set(), {"_thresholded", "_conformal", "_display_reliability"}
    while left:
        reached |= left
        left = set().union(*(imported(name) for name in left)) - reached
    assert not reached & networks
    assert not any(outside(name) & {"keras", "jax", "scikeras"} for name in reached)


@pytest.mark.parametrize(
    "name",
    [
        "_threshold", "_tail", "_pvalues", "_labels", "_sampling", "_scaling", "_shapley",
        "_categories", "_missing", "_streams", "_reconstruction", "_recipes", "_handing",
    ],
)  # fmt: skip
def test_rooms_of_numbers_know_neither_networks_nor_estimators(name):
    assert not outside(name) & {"keras", "jax", "sklearn", "scikeras"}
    assert imported(name) <= {"_weighted", "_sampling", "_threshold", "_scaling"}


def test_scikeras_is_known_in_one_room():
    assert [name for name in sorted(MODULES) if "scikeras" in outside(name)] == ["_training"]


def test_importing_the_package_loads_nothing_heavy(fresh_python):
    code = "import skanomaly, sys, json; print(json.dumps([m for m in sys.modules]))"
    loaded = {name.split(".")[0] for name in json.loads(fresh_python(code))}
    assert not loaded & {"keras", "jax", "matplotlib", "tensorflow", "torch", "scikeras"}


def test_explaining_any_detector_loads_no_network_library(fresh_python):
    code = "import skanomaly, sys; skanomaly.explain; print(*sys.modules)"
    loaded = {name.split(".")[0] for name in fresh_python(code).split()}
    assert not loaded & {"keras", "jax", "matplotlib", "shap"}


def test_a_detector_loads_one_backend(fresh_python):
    code = (
        "import skanomaly, sys; skanomaly.AutoencoderDetector;"
        "print(*sorted({'jax', 'tensorflow', 'torch'} & {*sys.modules}))"
    )
    assert fresh_python(code, KERAS_BACKEND="jax") == "jax"
