"""The HTML of estimators links to their pages, where these have an address."""

import pytest
from sklearn.ensemble import IsolationForest

from skanomaly import AutoencoderDetector, ThresholdedDetector, WindowedDetector
from skanomaly.utils import _doc_links

ESTIMATORS = [AutoencoderDetector(), WindowedDetector(), ThresholdedDetector(IsolationForest())]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_estimators_link_to_their_page(estimator, monkeypatch):
    monkeypatch.setenv("SKANOMALY_DOCS_URL", "https://example.org/docs/")
    page = f"https://example.org/docs/generated/skanomaly.{type(estimator).__name__}.html"
    assert page in estimator._repr_html_()


def test_without_an_address_there_is_no_link(monkeypatch):
    monkeypatch.delenv("SKANOMALY_DOCS_URL", raising=False)
    monkeypatch.setattr(_doc_links, "_published", lambda: "")
    assert AutoencoderDetector()._get_doc_link() == ""


def test_the_address_comes_from_the_metadata(monkeypatch):
    class Metadata:
        def get_all(self, name):
            return ["Repository, https://example.org/code", "Documentation, https://example.org"]

    monkeypatch.setattr(_doc_links.metadata, "metadata", lambda name: Metadata())
    assert _doc_links._published.__wrapped__() == "https://example.org"
