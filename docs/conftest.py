"""What is not collected here, with the reason."""

# `tests/test_docs.py` runs these pages in processes of their own
collect_ignore = ["guide_backends.rst", "guide_networks.rst", "guide_practice.rst"]

# scripts that draw and check the pages, and worked examples: `tests/test_docs.py`,
# `tests/test_service.py` and `tests/test_engines.py` run them; none of them holds a doctest
collect_ignore_glob = ["*.py", "examples/*.py"]
