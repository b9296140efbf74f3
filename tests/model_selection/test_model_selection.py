"""The public door to splitters and the comparison."""

from skanomaly import model_selection as ms


def test_public_names_exist():
    assert sorted(ms.__all__) == ms.__all__
    assert all(hasattr(ms, name) for name in ms.__all__)
