"""One test file for each module, under the same name; and docstrings name modules that exist."""

import re
from pathlib import Path

import pytest

import skanomaly

PACKAGE, TESTS = Path(skanomaly.__file__).parent, Path(__file__).parent
#: Test files without a module of that name, and why.
OWN_NAMES = {
    "io/test_golden.py": "files of every release load in this one",
    "metrics/test_metrics.py": "the wing's public names",
    "model_selection/test_model_selection.py": "the wing's public names",
    "preprocessing/test_quantile_bins.py": "bins of networks, which are in _binning",
    "preprocessing/test_steps.py": "what several modules of the wing promise alike",
}
#: Modules that the tests of others run, by those tests.
TESTED_BY = {
    "cli/test_main.py": (
        "cli/_arguments cli/_cache cli/_compare cli/_detect cli/_explain cli/_fit cli/_html "
        "cli/_info cli/_model cli/_reasons cli/_saying cli/_score cli/_storage cli/_training "
        "cli/_words"
    ),
    "cli/test_files.py": "cli/_csv cli/_sources cli/_writing",
    "cli/test_columns.py": "cli/_plans",
    "test_persistence.py": "detectors/_state networks/_state utils/_state",
    "io/test_files.py": "io/_container io/_info io/_plain utils/_extras",
    "display/test_report.py": "display/_report_parts display/_report_plots",
    "io/test_onnx.py": (
        "io/_export io/_export_detectors io/_export_learners io/_export_networks io/_export_rows "
        "io/_export_scores io/_graph io/_skl2onnx"
    ),
    "learners/test_ensemble.py": "learners/_masked_bins",
    "meta/test_drift.py": "meta/_column_bins meta/_drift_report",
    "scores/test_neighbours.py": "scores/_search utils/_blas",
    "scores/test_unsupervised.py": "scores/_trees",
    "thresholds/test_unlabelled.py": "thresholds/_budget",
}
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.glob("*/_*.py")
    if path.stem != "__init__"
)
#: References such as ``utils._labels`` or `skanomaly.utils._labels.read_labels`.
REFERENCE = re.compile(r"``?(?:skanomaly\.)?([a-z_]+\._[a-z_]+)(?:\.\w+)*``?")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_tests(module):
    name = module.removesuffix(".py")
    others = [file for file, names in TESTED_BY.items() if name in names.split()]
    own = name.replace("/_", "/test_") + ".py"
    assert any((TESTS / file).is_file() for file in [own, *others])


def test_every_test_file_has_its_module():
    files = {path.relative_to(TESTS).as_posix() for path in TESTS.glob("*/test_*.py")}
    expected = {module.replace("/_", "/test_") for module in MODULES}
    assert files - expected == OWN_NAMES.keys()


def test_modules_that_others_test_exist():
    named = {f"{name}.py" for names in TESTED_BY.values() for name in names.split()}
    assert named <= {*MODULES}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_modules_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    wings = {folder.name for folder in PACKAGE.iterdir() if folder.is_dir()}
    named = {name for name in REFERENCE.findall(text) if name.split(".")[0] in wings}
    known = {module.replace("/", ".").removesuffix(".py") for module in MODULES}
    assert named <= known
    assert not re.findall(r"``_\w+``(?= module)|rooms? ``_", text)
