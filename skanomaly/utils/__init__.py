"""Labels, weights, order, splits and responses: what every other wing asks for.

Imports nothing of the package and no Keras. Used by all wings.
"""
