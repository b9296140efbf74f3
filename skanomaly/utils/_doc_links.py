"""Where the HTML picture of an estimator links to: its page in the documentation.

Owns the address. It is the one in the package's metadata (``[project.urls]`` in
``pyproject.toml``), or that of pages of one's own in ``SKANOMALY_DOCS_URL``; without either there
is no link.
"""

import functools
import os
from importlib import metadata


class DocLinkMixin:
    """Estimators whose HTML representation links to their page."""

    _doc_link_module = "skanomaly"

    @property
    def _doc_link_template(self):
        address = os.environ.get("SKANOMALY_DOCS_URL") or _published()
        if not address:
            return ""
        return address.rstrip("/") + "/generated/skanomaly.{estimator_name}.html"


@functools.cache
def _published():
    """Return the address of the documentation of the installed package, or an empty text."""
    try:
        urls = metadata.metadata("skanomaly").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    found = dict(line.split(", ", 1) for line in urls)
    return found.get("Documentation", "")
