"""Layers, losses and builders of networks, and the user's own model.

May import `backend` alone. Used by training and learners.
"""
