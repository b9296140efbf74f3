"""Estimators around any outlier detector: thresholds, p-values, windows.

May import `thresholds`, `model_selection`, `metrics`, `preprocessing`, `utils` and `base`; no
detector of the package and no Keras. Used by users.
"""
