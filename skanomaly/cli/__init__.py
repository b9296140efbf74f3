"""The command line.

May import public names of the package only. Used by ``python -m skanomaly``.
"""
