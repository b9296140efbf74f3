"""Detectors on rows that lie in many places: Dask collections.

May import `base`, `preprocessing` and `utils`; estimators are asked for what scikit-learn asks
of them. Dask is imported where it is used. Used by users; no Keras.
"""

from skanomaly.distributed._detector import DaskDetector

__all__ = ["DaskDetector"]
