"""Imports run downward only, and importing the package is cheap."""

import ast
import importlib
import json
from pathlib import Path

import pytest

import skanomaly

FOLDER = Path(skanomaly.__file__).parent
#: Wings with public names.
PUBLIC = {"skanomaly", *(f"skanomaly.{name}" for name in skanomaly._DOORS)}
#: What each wing may import of the package; `cli` public names alone.
ALLOWED = {
    "utils": set(),
    "backend": set(),
    "base": {"utils"},
    "preprocessing": {"utils"},
    "scores": {"preprocessing", "utils"},
    "thresholds": {"utils"},
    "networks": {"backend"},
    "training": {"networks", "backend", "utils"},
    "learners": {
        "training", "networks", "preprocessing", "scores", "thresholds", "backend", "utils",
    },
    "metrics": {"utils"},
    "model_selection": {"metrics", "utils"},
    "inspection": {"utils"},
    "display": {"metrics", "inspection", "utils"},
    "detectors": {
        "learners", "training", "networks", "preprocessing", "scores", "thresholds", "inspection",
        "base", "utils",
    },
    "meta": {"thresholds", "model_selection", "metrics", "preprocessing", "base", "utils"},
    "io": {
        "detectors", "learners", "training", "networks", "preprocessing", "scores", "backend",
        "base", "utils",
    },
    "distributed": {"inspection", "preprocessing", "base", "utils"},
    "cli": set(skanomaly._DOORS),
}  # fmt: skip
#: Wings that load no network library, whatever they are asked.
WITHOUT_KERAS = {
    "utils", "base", "preprocessing", "scores", "thresholds", "metrics", "model_selection",
    "inspection", "display", "distributed", "meta", "cli",
}  # fmt: skip
NETWORK_LIBRARIES = {"keras", "jax", "scikeras", "tensorflow", "torch"}
#: Modules, by their dotted names below the package.
MODULES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FOLDER.rglob("*.py")
    if path.parent != FOLDER or path.stem == "base"
}


def imports_of(name):
    """Yield (module, name) of all that a module imports, anywhere in its text."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively"
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)


def inside(name):
    """Return the package's modules that a module imports."""
    found = set()
    for module, imported in imports_of(name):
        if module.split(".")[0] != "skanomaly":
            continue
        module = module.removeprefix("skanomaly").lstrip(".")
        longer = ".".join(filter(None, [module, imported]))
        found.add(longer if longer in MODULES else module)
    return found - {"", "_version"}


def outside(name):
    """Return the top-level names of what a module imports besides the package."""
    return {module.split(".")[0] for module, _ in imports_of(name)} - {"skanomaly"}


def wing(name):
    return name.split(".")[0]


def test_every_module_is_in_a_wing():
    assert {wing(name) for name in MODULES} == ALLOWED.keys()


def test_the_list_of_wings_runs_downward():
    left = dict(ALLOWED)
    while left:
        ground = {name for name, needs in left.items() if not needs & left.keys()}
        assert ground, f"these wings import each other: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in ground}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_wings_import_what_lies_below(name):
    others = {wing(other) for other in inside(name)} - {wing(name)}
    assert others <= ALLOWED[wing(name)]


def test_no_module_imports_in_a_circle():
    left = {name: inside(name) - {name} for name in MODULES}
    while left:
        free = {name for name, needs in left.items() if not needs & left.keys()}
        assert free, f"these import each other: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}


def test_the_command_line_uses_public_names():
    private = {
        (name, module, imported)
        for name in MODULES
        if wing(name) == "cli"
        for module, imported in imports_of(name)
        if module.startswith("skanomaly") and not module.startswith("skanomaly.cli")
        if f"{module}.{imported}" not in PUBLIC | {"skanomaly.None"}
        if module not in PUBLIC or imported not in importlib.import_module(module).__all__
    }
    assert private == set()


def test_detectors_do_not_import_each_other():
    assert "detectors._classifier" not in inside("detectors._autoencoder")
    assert "detectors._autoencoder" not in inside("detectors._classifier")


@pytest.mark.parametrize("name", sorted(n for n in MODULES if wing(n) in WITHOUT_KERAS))
def test_wings_without_keras_import_no_network_library(name):
    assert not outside(name) & NETWORK_LIBRARIES


def test_scikeras_is_known_in_one_module():
    assert [n for n in sorted(MODULES) if "scikeras" in outside(n)] == ["training._trainer"]


def test_keras_comes_from_the_backend_wing():
    assert {wing(name) for name in MODULES if "keras" in outside(name)} <= {"backend"}


def test_wings_say_what_they_are():
    for name in ALLOWED.keys() - {"base"}:
        said = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8")))
        assert len(said.splitlines()) >= 3, name


def test_importing_the_package_loads_nothing_heavy(fresh_python):
    code = "import skanomaly, sys, json; print(json.dumps([m for m in sys.modules]))"
    loaded = {name.split(".")[0] for name in json.loads(fresh_python(code))}
    assert not loaded & {*NETWORK_LIBRARIES, "matplotlib", "sklearn"}


@pytest.mark.parametrize(
    "code",
    [
        "skanomaly.explain",
        "skanomaly.inspection.explain",
        "skanomaly.ThresholdedDetector(IsolationForest(n_estimators=5)).fit(X).predict(X)",
        "skanomaly.ConformalDetector(IsolationForest(n_estimators=5)).fit(X).predict(X)",
        "skanomaly.WindowedDetector(IsolationForest(n_estimators=5)).fit(X).predict(X)",
    ],
)
def test_around_any_detector_no_network_library_is_loaded(code, fresh_python):
    start = (
        "import sys, numpy as np, skanomaly; from sklearn.ensemble import IsolationForest;"
        "X = np.random.default_rng(0).normal(size=(100, 2));"
    )
    loaded = {n.split(".")[0] for n in fresh_python(f"{start}{code}; print(*sys.modules)").split()}
    assert not loaded & {*NETWORK_LIBRARIES, "matplotlib", "shap"}


def test_a_detector_loads_one_backend(fresh_python):
    code = (
        "import skanomaly, sys; skanomaly.AutoencoderDetector;"
        "print(*sorted({'jax', 'tensorflow', 'torch'} & {*sys.modules}))"
    )
    assert fresh_python(code, KERAS_BACKEND="jax") == "jax"
