"""What is not collected here, with the reason."""

# `tests/test_docs.py` runs these pages in processes of their own
collect_ignore = ["guide_backends.rst", "guide_networks.rst", "guide_practice.rst"]

# scripts that the build of the pages runs, and worked examples, which `tests/test_service.py` and
# `tests/test_engines.py` run; none of them holds a doctest
collect_ignore_glob = ["*.py", "examples/*.py"]
