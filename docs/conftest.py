"""Pages that `tests/test_docs.py` runs in processes of their own need no second run here."""

collect_ignore = ["guide_backends.rst", "guide_networks.rst", "guide_practice.rst"]
