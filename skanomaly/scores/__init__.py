"""What is unusual about a row: channels, neighbours and distances, on arrays.

May import `preprocessing` and `utils`; no Keras, no sample weights. Used by learners.
"""
