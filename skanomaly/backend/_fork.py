"""Forked processes, in which JAX does not work.

Owns what has to be done before a fork, knowing that this process was forked from one that had used
JAX, and the error that says so.
JAX's threads stay behind in the parent: in the child its first computation would wait for them
for ever.
"""

import contextlib
import os
import sys

_state = {"stranded": False}


def jax_is_stranded():
    """Tell whether JAX had been used before this process was forked off."""
    return _state["stranded"]


def refuse_stranded(what):
    """Raise RuntimeError in a process in which JAX would wait for ever."""
    if jax_is_stranded():
        raise RuntimeError(
            f"{what} needs JAX, which does not work in this process: it was forked after JAX had "
            "been used, and JAX's threads do not survive a fork. Scores of dense and "
            "convolutional networks that were fitted or loaded before the fork work. Otherwise "
            "start processes by multiprocessing.get_context('spawn') or 'forkserver', use "
            "joblib's default backend, or load detectors after the fork (gunicorn: without "
            "--preload)."
        )


def _uses_jax():
    bridge = sys.modules.get("jax._src.xla_bridge")
    used = getattr(bridge, "backends_are_initialized", None)
    return bridge is not None and (used is None or used())


def _settle():
    """Wait for arrays that JAX's threads are still filling: nobody would in the child."""
    if not _uses_jax():
        return
    with contextlib.suppress(Exception):  # a fork is not to fail for it
        for array in sys.modules["jax"].live_arrays():
            if not array.is_deleted():
                array.block_until_ready()


def _note_fork():
    if _uses_jax():
        _state["stranded"] = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_settle, after_in_child=_note_fork)
