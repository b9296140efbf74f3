"""The map of wings: read from the code, drawn, and without an import that runs up."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "docs" / "_wings.py"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="needs the repository")


@pytest.fixture(scope="module")
def wings():
    spec = importlib.util.spec_from_file_location("wings_of_the_package", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path):
    """Return a function that writes a package with one import line for each wing."""

    def write(public="", **lines):
        folder = tmp_path / "small"
        folder.mkdir()
        folder.joinpath("__init__.py").write_text(f"_PUBLIC = {{{public}}}\n")
        for wing, line in lines.items():
            folder.joinpath(wing).mkdir()
            folder.joinpath(wing, "__init__.py").write_text(f'"""Holds {wing}."""\n')
            folder.joinpath(wing, "_code.py").write_text(f"def use():\n    {line}\n")
        return folder

    return write


def test_no_import_of_the_package_runs_up(wings):
    arrows = wings.imports()
    floor = wings.floors(arrows)
    assert {"detectors", "learners", "utils", "base"} <= floor.keys()
    assert all(floor[wing] > floor[other] for wing in arrows for other in arrows[wing])


def test_imports_are_found_wherever_and_however_they_are_written(wings, package):
    folder = package(
        '"Name": "small.middle._code"',
        top="from small import Name",
        middle="import small.ground._code, os",
        ground="from pathlib import Path",
    )
    arrows = wings.imports(folder)
    assert arrows == {"top": {"middle"}, "middle": {"ground"}, "ground": set()}
    assert wings.imports(folder, public=False)["top"] == set()
    assert wings.floors(arrows) == {"ground": 0, "middle": 1, "top": 2}
    assert wings.table(folder)[0] == (2, "top", "Holds top.", "middle", 1)


def test_imports_in_a_circle_are_refused(wings, package, tmp_path):
    folder = package(one="from small.two._code import use", two="from small import one")
    with pytest.raises(ValueError, match=r"Imports run up: one, two import each other"):
        wings.draw(tmp_path / "map.png", folder)


def test_ways_over_a_third_wing_are_implied(wings):
    arrows = {"top": {"middle", "ground"}, "middle": {"ground"}, "ground": set()}
    assert wings.implied(arrows) == {("top", "ground")}


def test_the_map_is_drawn_and_the_table_shows_every_wing(wings, tmp_path):
    wings.draw(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 20_000
    text = wings.as_rst(wings.table())
    assert all(f"- {wing}\n" in text for wing in wings.wings())
