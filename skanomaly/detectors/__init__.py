"""The detectors and their base classes; a new detector is one small file here.

May import every wing below: learners, preprocessing, training, networks, scores, thresholds,
and `inspection` when asked to explain. Used by users and the command line.
"""
