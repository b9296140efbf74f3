"""The paired comparison of detectors on the same splits.

Owns: fitting and scoring on splits, ranks and tests over them. Does not own: splitters
(``model_selection._split``), metrics (``metrics._scorer``) and pictures.
"""

import time
import traceback
import warnings
from numbers import Real

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import KFold, check_cv
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed

from skanomaly.metrics._scorer import anomaly_scorer, refuse_unusable
from skanomaly.model_selection._split import StratifiedAnomalyKFold
from skanomaly.utils._containers import collected, n_rows
from skanomaly.utils._docs import documented
from skanomaly.utils._labels_handed_on import (
    labels_as_read_by,
    labels_for,
    labels_handed_to,
    recode,
)
from skanomaly.utils._response import refuse_other_conventions


@documented
def compare_detectors(
    detectors,
    X,
    y=None,
    *,
    cv=5,
    scoring=None,
    groups=None,
    anomaly_label="auto",
    per_split=False,
    n_jobs=None,
    error_score=np.nan,
):
    """Fit detectors to the same splits and say which is better, and whether that is luck.

    Parameters
    ----------
    detectors : dict of str to estimator, or list of estimators or of (name, estimator)
        Unfitted outlier detectors of scikit-learn or skanomaly, or pipelines of them. They are
        cloned. Names default to class names.
    %(X)s
    y : array-like of shape (n_samples,), default=None
        Labels in any coding; rows without a label train but are not scored. Detectors that
        learn from labels get them; what one of them was told of their coding (``anomaly_label``,
        ``unlabeled_label``) says what `y` means for all.
    cv : int, splitter or iterable of (train, test), default=5
        Splits, the same for all detectors. A number gives that many shuffled folds with a
        fixed seed, stratified by anomaly if there is a `y`.
    scoring : str, list of str, callable or dict of str to these, default=None
        Names as in `skanomaly.metrics.anomaly_scorer`, or scorers; higher must be better. None
        takes "roc_auc" and "average_precision", without y "excess_mass" and "neg_mass_volume".
    groups : array-like of shape (n_samples,), default=None
        For splitters that need groups.
    %(anomaly_label)s
    per_split : bool, default=False
        Return one row per metric, detector and split instead of the summary.
    n_jobs : int, default=None
        Processes over detectors and splits. Times are comparable with 1 only.
    error_score : "raise" or float, default=nan
        Score of a detector that fails on a split, after a warning; "raise" stops.

    Returns
    -------
    results : DataFrame
        One row per metric and detector, the best first:

        - ``mean``, ``std``: over the splits;
        - ``rank``: mean over the splits of the rank in each, 1 is best;
        - ``p_value``: of a paired t-test against the detector with the best mean, with the
          variance corrected for the overlap of training sets, adjusted for the number of
          detectors by Holm's method. NaN for the best one itself. A large value says that the
          lead of the best one may be luck;
        - ``n_splits``; ``fit_time``, ``score_time``: mean seconds per split.

        With ``per_split=True``: ``metric``, ``detector``, ``split``, ``score``, ``fit_time``,
        ``score_time``.

    Raises
    ------
    ValueError
        If there is no detector, names are not unique, a metric is unknown or needs a `y` that is
        not there, or `error_score` is neither "raise" nor a number.
    TypeError
        If `detectors` is no list of estimators, or a metric is a function of labels and scores.

    References
    ----------
    C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.neighbors import LocalOutlierFactor
    >>> from skanomaly.model_selection import compare_detectors
    >>> X, y = load_breast_cancer(return_X_y=True)  # 0 is malignant
    >>> results = compare_detectors(
    ...     {"forest": IsolationForest(random_state=0), "LOF": LocalOutlierFactor(novelty=True)},
    ...     X, y, anomaly_label=0, scoring="roc_auc",
    ... )
    >>> results[["metric", "detector", "rank"]]
        metric detector  rank
    0  roc_auc   forest   1.0
    1  roc_auc      LOF   2.0
    """
    X, named = collected(X), _name_detectors(detectors)
    if error_score != "raise" and not isinstance(error_score, Real):
        raise ValueError(f"error_score must be 'raise' or a number, got {error_score!r}.")
    for detector in named.values():
        refuse_other_conventions(detector)
    codes = coded = None
    if y is not None:
        codes = labels_as_read_by(list(named.values()), y, n_rows(X), anomaly_label)
        coded = recode(codes)
    scorers = _name_scorers(scoring, y)
    splits = _make_splits(cv, X, y, coded, groups)
    rows = Parallel(n_jobs=n_jobs)(
        delayed(_run_split)(
            name, clone(detector), X, y, codes, coded, number, split, scorers, error_score
        )
        for name, detector in named.items()
        for number, split in enumerate(splits)
    )
    scores = _tidy(rows)
    if per_split:
        return scores
    overlap = np.mean([len(test) / len(train) for train, test in splits])
    return _summarise(scores, overlap)


def _run_split(name, detector, X, y, codes, coded, number, split, scorers, error_score):
    train, test = split
    its_y = labels_handed_to(detector, y, codes)
    row = {"detector": name, "split": number, "fit_time": np.nan, "score_time": np.nan}
    try:
        start = time.perf_counter()
        if its_y is None:
            detector.fit(_safe_indexing(X, train))
        else:
            detector.fit(_safe_indexing(X, train), _safe_indexing(its_y, train))
        row["fit_time"] = time.perf_counter() - start
        start = time.perf_counter()
        row["scores"] = _score_all(scorers, detector, _safe_indexing(X, test), y, coded, test)
        row["score_time"] = time.perf_counter() - start
    except Exception:
        if isinstance(error_score, str) and error_score == "raise":
            raise
        row["scores"] = error_score
        warnings.warn(
            f"detector {name!r} failed on split {number}; its scores there are {error_score}. "
            f"Pass error_score='raise' to stop instead. Details:\n{traceback.format_exc()}",
            FitFailedWarning,
            stacklevel=2,
        )
    return row


def _score_all(scorers, detector, X_test, y, coded, test):
    scores = {}
    for name, scorer in scorers.items():
        its_y = labels_for(scorer, y, coded)
        labels = None if its_y is None else _safe_indexing(its_y, test)
        value = scorer(detector, X_test, labels)
        scores.update(value if isinstance(value, dict) else {name: value})
    return scores


def _tidy(rows):
    """Return one row per metric, detector and split; failed splits have all metrics."""
    answered = [row["scores"] for row in rows if isinstance(row["scores"], dict)]
    if not answered:
        raise ValueError(
            "every detector failed on every split; see the warnings for the reasons, or pass "
            "error_score='raise'."
        )
    columns = ["detector", "split", "fit_time", "score_time"]
    table = [
        {"metric": metric, **{column: row[column] for column in columns}, "score": score}
        for metric in answered[0]
        for row in rows
        for score in [row["scores"][metric] if isinstance(row["scores"], dict) else row["scores"]]
    ]
    order = ["metric", "detector", "split", "score", "fit_time", "score_time"]
    return pd.DataFrame(table)[order]


def _summarise(scores, overlap):
    parts = []
    times = scores.groupby("detector", sort=False)[["fit_time", "score_time"]].mean()
    for metric, part in scores.groupby("metric", sort=False):
        table = part.pivot(index="split", columns="detector", values="score")
        table = table[part["detector"].unique()]  # pivot sorts by name
        summary = pd.DataFrame({"metric": metric, "detector": table.columns}, table.columns)
        # A detector that failed somewhere has no mean: the others did not skip that split.
        summary["mean"] = table.mean(skipna=False)
        summary["std"] = table.std(skipna=False)
        summary["rank"] = table.rank(axis=1, ascending=False, na_option="bottom").mean()
        summary["p_value"] = _p_values(table, overlap)
        summary["n_splits"] = len(table)
        parts.append(summary.join(times).sort_values("mean", ascending=False, kind="stable"))
    return pd.concat(parts, ignore_index=True)


def _p_values(table, overlap):
    """Test each detector against the one with the best mean."""
    p_values = pd.Series(np.nan, index=table.columns)
    means = table.mean(skipna=False)
    if means.isna().all() or len(table) < 2:
        return p_values
    best = means.idxmax()
    for name in table.columns.drop(best):
        p_values[name] = _corrected_t_test(table[best] - table[name], overlap)
    tested = p_values.dropna().sort_values()
    steps = len(tested) - np.arange(len(tested))
    p_values[tested.index] = np.minimum(np.maximum.accumulate(tested * steps), 1)
    return p_values


def _corrected_t_test(differences, overlap):
    """Return the two-sided p-value of Nadeau and Bengio's corrected resampled t-test."""
    n_splits, mean = len(differences), np.mean(differences)
    # Splits share training rows, so their plain variance is too small by the overlap.
    error = np.sqrt(np.var(differences, ddof=1) * (1 / n_splits + overlap))
    if np.isnan(mean) or error == 0:
        return np.nan if np.isnan(mean) else float(mean == 0)
    return 2 * stats.t.sf(abs(mean) / error, df=n_splits - 1)


def _name_detectors(detectors):
    if isinstance(detectors, type) or hasattr(detectors, "fit"):
        raise TypeError(
            "detectors must be a list of detectors or a dict of names to them, got one: "
            f"{detectors!r}. Pass it in a list."
        )
    if isinstance(detectors, dict):
        pairs = list(detectors.items())
    else:
        pairs = [d if isinstance(d, tuple) else (None, d) for d in detectors]
    if not pairs:
        raise ValueError("detectors must hold at least one detector, got none.")
    named = {}
    for name, detector in pairs:
        if isinstance(detector, type):
            raise TypeError(
                f"detectors must hold estimators, got the class {detector.__name__}. Call it: "
                f"{detector.__name__}()."
            )
        last = detector[-1] if isinstance(detector, Pipeline) else detector
        name = type(last).__name__ if name is None else name
        if name in named:
            raise ValueError(
                f"detectors must have different names, got {name!r} twice. Pass a dict of names "
                "to detectors."
            )
        named[name] = detector
    return named


def _name_scorers(scoring, y):
    if scoring is None:
        labelled, unlabelled = ["roc_auc", "average_precision"], ["excess_mass", "neg_mass_volume"]
        scoring = unlabelled if y is None else labelled
    if callable(scoring):
        name = getattr(scoring, "metric", getattr(scoring, "__name__", "score"))
        scoring = {name if isinstance(name, str) else "score": scoring}
    elif not isinstance(scoring, dict):
        scoring = {"score": [scoring] if isinstance(scoring, str) else list(scoring)}
    if not scoring or any(isinstance(one, list) and not one for one in scoring.values()):
        raise ValueError("scoring must name at least one metric, got none.")
    scorers = {}
    for name, one in scoring.items():
        scorers[name] = one if callable(one) else anomaly_scorer(one)
        refuse_unusable(scorers[name], name, y)
    return scorers


def _make_splits(cv, X, y, coded, groups):
    if isinstance(cv, (int, np.integer)):
        folds = KFold if y is None else StratifiedAnomalyKFold
        cv = folds(cv, shuffle=True, random_state=0)
    cv = check_cv(cv)
    return list(cv.split(X, labels_for(cv, y, coded), groups))
