"""Fitted estimators as files that hold data and no code: saving, loading, ONNX.

May import whatever lies below; loads skops, onnx and Keras only when they are needed. Used by
nothing in the package but the command line.
"""

import importlib

_PUBLIC = {
    "info": "skanomaly.io._files",
    "keep_rows": "skanomaly.io._files",
    "load": "skanomaly.io._files",
    "save": "skanomaly.io._files",
}

__all__ = ["info", "keep_rows", "load", "save"]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'skanomaly.io' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
