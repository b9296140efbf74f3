"""One test file for each module, under the same name; and docstrings name modules that exist."""

import re
from pathlib import Path

import pytest

import skanomaly

PACKAGE, TESTS = Path(skanomaly.__file__).parent, Path(__file__).parent
#: Test files without a module of that name, and why.
OWN_NAMES = {
    "metrics/test_metrics.py": "the wing's public names",
    "model_selection/test_model_selection.py": "the wing's public names",
    "preprocessing/test_steps.py": "what several modules of the wing promise alike",
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
    wing, name = module.split("/")
    assert (TESTS / wing / f"test{name}").is_file()


def test_every_test_file_has_its_module():
    files = {path.relative_to(TESTS).as_posix() for path in TESTS.glob("*/test_*.py")}
    expected = {module.replace("/_", "/test_") for module in MODULES}
    assert files - expected == OWN_NAMES.keys()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_modules_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    wings = {folder.name for folder in PACKAGE.iterdir() if folder.is_dir()}
    named = {name for name in REFERENCE.findall(text) if name.split(".")[0] in wings}
    known = {module.replace("/", ".").removesuffix(".py") for module in MODULES}
    assert named <= known
    assert not re.findall(r"``_\w+``(?= module)|rooms? ``_", text)
