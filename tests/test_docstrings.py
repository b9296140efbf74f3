"""Everything public is documented as numpydoc asks (examples run as doctests)."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

import skanomaly

#: Not asked for: extended summaries, "See Also" and examples everywhere, nameless "Returns".
ALLOWED = {"ES01", "SA01", "EX01", "RT02"}
MODULES = (
    "skanomaly.display",
    "skanomaly.distributed",
    "skanomaly.metrics",
    "skanomaly.model_selection",
    "skanomaly.thresholds",
    "skanomaly.utils",
)


def public_names():
    """Yield the dotted names of public classes, their methods, and functions."""
    owners = {"skanomaly": skanomaly.__all__}
    owners |= {name: _public(importlib.import_module(name)) for name in MODULES}
    for module, names in owners.items():
        for name in names:
            thing = getattr(importlib.import_module(module), name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{module}.{name}"
            if inspect.isclass(thing):
                yield from (f"{module}.{name}.{method}" for method in _own_methods(thing))


def _public(module):
    return getattr(module, "__all__", [n for n in dir(module) if not n.startswith("_")])


def _own_methods(cls):
    """Return public methods and properties whose documentation is this package's."""
    for name, member in inspect.getmembers(cls):
        function = member.fget if isinstance(member, property) else member
        own = (getattr(function, "__module__", None) or "").startswith("skanomaly")
        if not name.startswith("_") and own:
            yield name


@pytest.mark.parametrize("name", sorted(set(public_names())))
def test_numpydoc_finds_nothing(name):
    errors = [error for error in validate(name)["errors"] if error[0] not in ALLOWED]
    assert errors == []


def test_something_is_validated():
    names = set(public_names())
    assert "skanomaly.AutoencoderDetector.score_samples" in names
    assert "skanomaly.NeuralAnomalyClassifier" in names
    assert len(names) > 30


@pytest.mark.parametrize(
    "name", [n for n in skanomaly.__all__ if hasattr(getattr(skanomaly, n), "fit")]
)
def test_every_estimator_has_an_example_and_lists_its_parameters(name):
    documented = inspect.getdoc(getattr(skanomaly, name))
    assert ">>> " in documented
    for parameter in inspect.signature(getattr(skanomaly, name)).parameters:
        assert f"\n{parameter} : " in documented, parameter
