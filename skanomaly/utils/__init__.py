"""Labels, weights, order, splits and responses: what every other wing asks for.

Imports nothing of the package and no Keras. Used by all wings. Public is how labels are read.
"""

from skanomaly.utils._labels import read_labels

__all__ = ["read_labels"]
