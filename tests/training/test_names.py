"""Names that Keras does not know are refused with those it knows."""

import pytest

from skanomaly import AutoencoderDetector


@pytest.mark.parametrize(
    ("name", "known"),
    [("optimizer", "'adamw'"), ("loss", "'mean_squared_error'"), ("activation", "'relu'")],
)
def test_unknown_names_come_with_the_known_ones(blob, name, known):
    detector = AutoencoderDetector(**{name: "nonsense"})
    with pytest.raises(ValueError, match=f"'{name}' parameter.*got 'nonsense'") as caught:
        detector.fit(blob)
    assert known in str(caught.value)
    assert len(str(caught.value)) < 1500
