"""Hostile input for every public estimator, function and rule, and what becomes of it.

`values` draws input, `cases` makes calls of it, `outcomes` tells right answers from faults.
Everything follows from a number: the same number is the same case in every process.
"""
