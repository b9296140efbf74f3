"""Shared entries get into docstrings, and each of them is known and asked for."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import skanomaly
from skanomaly.utils._docs import ENTRIES, documented

FOLDER = Path(skanomaly.__file__).parent
PLACEHOLDER = re.compile(r"^ *%\((\w+)\)s *$", re.MULTILINE)
#: Modules that ask for entries.
ASKING = sorted(
    ".".join(["skanomaly", *path.relative_to(FOLDER).with_suffix("").parts])
    for path in FOLDER.rglob("*.py")
    if path.stem != "_docs" and PLACEHOLDER.search(path.read_text(encoding="utf-8"))
)


def count(X, n=1):
    """Count rows; 100 %(X)s of them stay in their line.

    Parameters
    ----------
    %(X)s
    n : int, default=1
        How often.

    %(fitted)s
    """


def test_entries_stand_as_far_right_as_their_line():
    documented(count)
    assert inspect.cleandoc(count.__doc__) == (
        "Count rows; 100 %(X)s of them stay in their line.\n\n"
        "Parameters\n----------\n"
        "X : array-like of shape (n_samples, n_features)\n    Rows.\n"
        "n : int, default=1\n    How often.\n\n"
        "Returns\n-------\nself : object\n    Fitted estimator."
    )


def test_entries_are_indented_whole_in_nested_code():
    def inner(X):
        """Do.

        %(scoring)s
        """

    text = documented(inner).__doc__
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    margin = min(len(line) - len(line.lstrip()) for line in lines)
    assert inspect.cleandoc(text).splitlines()[2] == "Parameters"
    assert [line[margin:] for line in lines if "Rows." in line] == ["    Rows."]
    assert not any(line != line.rstrip() for line in text.splitlines()[:-1])


@documented
class Everything:
    """All kinds of members.

    %(rows)s
    """

    def method(self):
        """Do.

        %(rows)s
        """

    @classmethod
    def of_class(cls):
        """Do.

        %(rows)s
        """

    @staticmethod
    def static():
        """Do.

        %(rows)s
        """

    @property
    def value(self):
        """The value.

        %(rows)s
        """

    def undocumented(self):
        pass


@pytest.mark.parametrize("name", [None, "method", "of_class", "static", "value"])
def test_a_class_is_done_with_all_its_members(name):
    thing = Everything if name is None else inspect.getattr_static(Everything, name)
    shown = Everything if name is None else getattr(Everything, name)
    assert "\nX : array-like" in inspect.getdoc(thing)
    assert "\nX : array-like" in inspect.getdoc(shown)
    assert Everything.undocumented.__doc__ is None


def test_without_docstrings_nothing_happens():
    def bare():
        pass

    class Bare:
        def method(self):
            pass

    assert documented(bare) is bare
    assert bare.__doc__ is None
    assert documented(Bare) is Bare
    assert Bare.__doc__ is None


def test_an_unknown_entry_is_refused():
    def wrong():
        """Do.

        %(nothing_of_this_name)s
        """

    with pytest.raises(KeyError, match="no entry 'nothing_of_this_name'"):
        documented(wrong)


def test_no_name_stands_for_two_entries():
    names = re.findall(
        r"^\[(\w+)\]$", (FOLDER / "utils/_docs.py").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(names) == sorted(ENTRIES)


def test_every_entry_is_asked_for_and_shared():
    text = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))
    asked = PLACEHOLDER.findall(text)
    assert {name for name in ENTRIES if asked.count(name) < 2} == set()


@pytest.mark.parametrize("module", ASKING)
def test_no_placeholder_is_left(module):
    own = importlib.import_module(module)
    mine = [v for v in vars(own).values() if getattr(v, "__module__", None) == module]
    members = [v for cls in mine if isinstance(cls, type) for v in vars(cls).values()]
    members += [v for cls in mine if isinstance(cls, type) for _, v in inspect.getmembers(cls)]
    left = [thing for thing in mine + members if PLACEHOLDER.search(inspect.getdoc(thing) or "")]
    assert left == []
