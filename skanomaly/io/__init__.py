"""Fitted estimators as files that hold data and no code: saving, loading, ONNX.

May import whatever lies below; loads skops, onnx and Keras only when they are needed. Used by
nothing in the package but the command line.
"""

import importlib

_PUBLIC = {
    "info": "skanomaly.io._info",
    "keep_rows": "skanomaly.io._files",
    "load": "skanomaly.io._files",
    "register_skl2onnx": "skanomaly.io._skl2onnx",
    "save": "skanomaly.io._files",
    "to_onnx": "skanomaly.io._onnx",
}

__all__ = ["info", "keep_rows", "load", "register_skl2onnx", "save", "to_onnx"]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'skanomaly.io' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
