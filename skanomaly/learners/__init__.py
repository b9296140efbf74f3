"""What is trained inside a detector: an autoencoder, one network, ensembles, a forest.

May import `training`, `networks`, `preprocessing`, `scores`, `thresholds` and `utils`. Used by
detectors alone.
"""
