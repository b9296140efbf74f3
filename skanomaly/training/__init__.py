"""Trains networks: trainer, compiled programs, loops, batches, progress and callbacks.

May import `networks`, `backend` and `utils`; SciKeras lives here and nowhere else. Used by
learners and detectors.
"""
