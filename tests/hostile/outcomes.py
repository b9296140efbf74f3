"""What a call ended in: an answer, a refusal that helps, or a fault and of which kind."""

import traceback
import warnings
from pathlib import PurePath

import numpy as np
import pandas as pd

#: The two right outcomes.
ANSWER, REFUSAL = "finite answer of the right shape", "refusal that says what, expected, got, fix"
#: Packages whose own refusals are as good as ours: scikit-learn's checks of input.
_DOORS = ("skanomaly", "sklearn")
#: What a refusal that helps says in some form.
_HELP = (
    "must", "expect", "need", "got", "has ", "have ", "holds", "pass ", "should", "give",
    "requir", "use ", "contains", "found", "unknown", "cannot", "not ", "only", "no ",
)  # fmt: skip


class WrongAnswer(AssertionError):
    """An answer that is not finite, or of another shape than the rows ask for."""


def outcome(call):
    """Run a call; return one of the outcomes' names and what belongs to it.

    Returns
    -------
    kind : str
        `ANSWER`, `REFUSAL`, or the name of a fault.
    detail : str
        The message and the place of a refusal or fault.
    """
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        kind, detail = _outcome(call)
    if not np.array_equal(state, np.random.get_state()[1]):  # noqa: NPY002
        return "global random state changed", detail
    return kind, detail


def _outcome(call):
    try:
        call()
    except RuntimeWarning as warning:
        return "RuntimeWarning", _place(warning)
    except WrongAnswer as error:
        return "wrong answer", str(error)
    except (ValueError, TypeError) as error:
        return (REFUSAL if _helps(error) else "message that leaks"), _place(error)
    except ImportError as error:  # a package that is not installed, and the extra that brings it
        return (REFUSAL if "pip install" in str(error) else "crash"), _place(error)
    except AttributeError as error:  # a method that this fit has not, with its reason
        return (REFUSAL if _is_reasoned(error) else "crash"), _place(error)
    except Exception as error:
        return "crash", _place(error)
    return ANSWER, ""


def finite(values, shape=None):
    """Check that an answer holds finite numbers, of one shape where that is known."""
    values = np.asarray(values)
    if shape is not None and values.shape != shape:
        raise WrongAnswer(f"shape {values.shape}, not {shape}")
    if values.dtype.kind in "fc" and not np.isfinite(values).all():
        raise WrongAnswer(f"{np.sum(~np.isfinite(values))} of {values.size} are not finite")
    if values.dtype.kind not in "fiub":
        raise WrongAnswer(f"values of type {values.dtype}")


def finite_everywhere(answer):
    """Check all numbers of an answer of any structure."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, (list, tuple)):
        for part in answer:
            finite_everywhere(part)
    elif isinstance(answer, pd.DataFrame):
        finite(answer.select_dtypes("number").to_numpy(dtype=float))
    elif isinstance(answer, (float, int, np.ndarray, np.generic)):
        finite(answer)


def _helps(error):
    """Tell whether a refusal comes from a check of input, and says more than a type's name."""
    frames = _frames(error)
    if any("sklearn/ensemble" in f.filename or "sklearn/svm" in f.filename for f in frames):
        return True  # what another library's detector says of its rows is its own business
    folders = PurePath(frames[-1].filename).parts
    text = str(error).lower()
    return (
        any(door in folders for door in _DOORS)
        and len(text) > 25
        and any(w in text for w in _HELP)
    )


def _is_reasoned(error):
    return "needs" in str(error) or "has no" in str(error)


def _frames(error):
    return traceback.extract_tb(error.__traceback__)


def _place(error):
    ours = [f for f in _frames(error) if "skanomaly" in PurePath(f.filename).parts]
    last, here = _frames(error)[-1], ours[-1] if ours else _frames(error)[-1]
    where = f"{PurePath(here.filename).name}:{here.lineno}"
    if last is not here:
        where += f" -> {PurePath(last.filename).name}:{last.lineno}"
    return f"{type(error).__name__} at {where}: {str(error)[:300]}"
