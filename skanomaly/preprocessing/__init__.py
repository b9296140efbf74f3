"""Rows as users have them, read, checked, encoded, filled and scaled.

May import `utils`; NumPy, pandas and scikit-learn, no Keras. Used by scores, learners and
detectors.
"""
