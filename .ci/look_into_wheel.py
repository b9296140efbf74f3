"""Looks into a built package: the wheel holds the package and nothing else.

``python .ci/look_into_wheel.py dist`` fails where the wheel holds tests, data or other folders, or
lacks a module or the licence; and where the source distribution lacks what tests need.
"""

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Endings of files that belong to the package.
KINDS = {".py", ".typed", ".j2", ".html", ".css", ".js"}


def look_into_wheel(path):
    """Return what is wrong with a wheel."""
    names = zipfile.ZipFile(path).namelist()
    inside = [name for name in names if ".dist-info/" not in name]
    wrong = [f"does not belong there: {name}" for name in inside if not belongs(name)]
    wanted = {file.relative_to(ROOT).as_posix() for file in (ROOT / "skanomaly").rglob("*.py")}
    wrong += [f"is missing: {name}" for name in sorted(wanted - set(names))]
    if not any(name.endswith("LICENSE") for name in names):
        wrong.append("is missing: LICENSE")
    return wrong


def belongs(name):
    """Tell whether a file of the wheel is part of the package."""
    parts = Path(name).parts
    return parts[0] == "skanomaly" and "tests" not in parts and Path(name).suffix in KINDS


def look_into_source(path):
    """Return what is wrong with a source distribution."""
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    wanted = ("pyproject.toml", "README.md", "LICENSE", "tests/conftest.py", "docs/conf.py")
    return [f"is missing: {name}" for name in wanted if name not in names]


def main():
    """Print what is wrong and return the exit status."""
    folder = Path(sys.argv[1])
    wheels, sources = list(folder.glob("*.whl")), list(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sources) != 1:
        print(f"expected one wheel and one source distribution in {folder}")
        return 1
    wrong = [f"{wheels[0].name}: {text}" for text in look_into_wheel(wheels[0])]
    wrong += [f"{sources[0].name}: {text}" for text in look_into_source(sources[0])]
    print(*wrong or [f"{wheels[0].name} holds the package and nothing else"], sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
