"""Split data with rare anomalies, and compare detectors on the same splits.

Owns: splitters for ``cv=`` that read labels in any coding, and the paired comparison.
Does not own: metrics (`skanomaly.metrics`) or the meaning of labels (``_labels``).
"""

import itertools
import time
import traceback
import warnings

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    BaseCrossValidator,
    KFold,
    StratifiedGroupKFold,
    TimeSeriesSplit,
    check_cv,
)
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed

from skanomaly._labels import read_labels
from skanomaly.metrics import anomaly_scorer

__all__ = [
    "GroupedAnomalyKFold",
    "NormalOnlySplit",
    "StratifiedAnomalyKFold",
    "TimeOrderedSplit",
    "compare_detectors",
    "plot_comparison",
]


class _AnomalySplitter(BaseCrossValidator):
    """A splitter into ``n_splits`` parts that reads labels."""

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object
            Ignored.

        Returns
        -------
        n_splits : int
            ``n_splits`` as given.
        """
        return self.n_splits

    def _read(self, X, y):
        if not (isinstance(self.n_splits, (int, np.integer)) and self.n_splits >= 2):
            raise ValueError(f"n_splits must be an integer of at least 2, got {self.n_splits!r}.")
        return read_labels(y, anomaly_label=self.anomaly_label, n_samples=_n_rows(X))


class StratifiedAnomalyKFold(_AnomalySplitter):
    """K folds, each with its share of the anomalies, whatever the coding of the labels.

    Unlabelled rows (missing labels) are spread evenly, too.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of anomalies.
    shuffle : bool, default=False
        Shuffle the rows of each class first. Otherwise each class is cut into runs of
        neighbouring rows.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle.
    anomaly_label : scalar, default="auto"
        The value of y that marks an anomaly. "auto" reads -1 of -1/1 and 1 (True) of 0/1 as
        the anomaly, and takes the rarest value of any other coding, with a warning.

    Raises
    ------
    ValueError
        By ``split``: if anomalies or normal rows are fewer than `n_splits`, because a fold
        without one of them cannot be scored, or if there is a `random_state` but no shuffle.

    Examples
    --------
    >>> from skanomaly.model_selection import StratifiedAnomalyKFold
    >>> y = ["ok", "ok", "bad", "ok", "ok", "bad"]
    >>> for train, test in StratifiedAnomalyKFold(2, anomaly_label="bad").split(y, y):
    ...     print(test)
    [0 1 2]
    [3 4 5]
    """

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None, anomaly_label="auto"):
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.anomaly_label = anomaly_label

    def _iter_test_masks(self, X, y=None, groups=None):
        labels = self._read(X, y)
        rng = _check_shuffle(self.shuffle, self.random_state)
        for sign, kind in ((-1, "anomalies"), (1, "normal rows")):
            n_rows = np.sum(labels == sign)
            if n_rows < self.n_splits:
                raise ValueError(
                    f"n_splits={self.n_splits} is more than the {n_rows} {kind}: a fold without "
                    "any could not be scored. Use fewer splits, or with few anomalies "
                    "NormalOnlySplit(all_anomalies=True)."
                )
        yield from _stratified_masks(labels, self.n_splits, rng)


class GroupedAnomalyKFold(_AnomalySplitter):
    """K folds that keep groups together and spread the anomalies as evenly as groups allow.

    For rows that belong together (one machine, one patient, one user): no group is on both
    sides of a split. It is `StratifiedGroupKFold` of scikit-learn for labels in any coding.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2 and at most the number of groups with an anomaly.
    shuffle : bool, default=False
        Shuffle the groups first.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffle.
    anomaly_label : scalar, default="auto"
        As in `StratifiedAnomalyKFold`.

    Raises
    ------
    ValueError
        By ``split``: if there are no groups, or anomalies in fewer than `n_splits` groups.

    Examples
    --------
    >>> from skanomaly.model_selection import GroupedAnomalyKFold
    >>> y, machine = [0, 1, 0, 0, 1, 0], ["a", "a", "a", "b", "b", "b"]
    >>> for train, test in GroupedAnomalyKFold(2).split(y, y, groups=machine):
    ...     print(test)
    [0 1 2]
    [3 4 5]
    """

    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None, anomaly_label="auto"):
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.anomaly_label = anomaly_label

    def _iter_test_indices(self, X, y=None, groups=None):
        labels = self._read(X, y)
        _check_shuffle(self.shuffle, self.random_state)
        if groups is None:
            raise ValueError("groups must say to which group each row belongs, got None.")
        n_groups = pd.Series(np.asarray(groups))[labels == -1].nunique()
        if n_groups < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {n_groups} groups with an anomaly: "
                "a fold without any could not be scored. Use fewer splits."
            )
        # scikit-learn warns about strata smaller than n_splits: few unlabelled rows may be.
        if np.sum(labels == 0) < self.n_splits:
            labels = np.where(labels == -1, -1, 1)
        folds = StratifiedGroupKFold(
            self.n_splits, shuffle=self.shuffle, random_state=self.random_state
        )
        for _, test in folds.split(labels, labels, groups):
            yield test


class TimeOrderedSplit(_AnomalySplitter):
    """Train on the past, test on the next stretch; every stretch holds an anomaly.

    Rows must be in order of time. ``TimeSeriesSplit`` of scikit-learn cuts stretches of equal
    length, many of which hold no anomaly, or half of one. Here the cuts lie midway
    between episodes (runs of anomalies), and each stretch gets about as many episodes.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits, at least 2. The first ``n_samples // (n_splits + 1)`` rows are
        only trained on.
    gap : int, default=0
        Rows left out between training and test rows.
    max_train_size : int, default=None
        Train on the last so many rows before the gap only.
    anomaly_label : scalar, default="auto"
        As in `StratifiedAnomalyKFold`.

    Raises
    ------
    ValueError
        By ``split``: if fewer than `n_splits` episodes begin after the first rows, or
        nothing is left to train on.

    Notes
    -----
    Without y the stretches are those of ``TimeSeriesSplit``.

    Examples
    --------
    >>> from skanomaly.model_selection import TimeOrderedSplit
    >>> y = [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0]
    >>> for train, test in TimeOrderedSplit(2).split(y, y):
    ...     print(train, test)
    [0 1 2 3] [4 5 6 7]
    [0 1 2 3 4 5 6 7] [ 8  9 10 11]
    """

    def __init__(self, n_splits=5, *, gap=0, max_train_size=None, anomaly_label="auto"):
        self.n_splits = n_splits
        self.gap = gap
        self.max_train_size = max_train_size
        self.anomaly_label = anomaly_label

    def split(self, X, y=None, groups=None):
        """Generate the rows of each split.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in order of time.
        y : array-like of shape (n_samples,), default=None
            Labels in any coding.
        groups : object
            Ignored.

        Yields
        ------
        train : ndarray
            Row numbers to train on, all before those of `test`.
        test : ndarray
            Row numbers to test on.
        """
        if y is None:
            options = {"gap": self.gap, "max_train_size": self.max_train_size}
            yield from TimeSeriesSplit(self.n_splits, **options).split(X)
            return
        cuts = self._cuts(self._read(X, y) == -1)
        for start, end in itertools.pairwise(cuts):
            last = start - self.gap
            first = 0 if self.max_train_size is None else max(0, last - self.max_train_size)
            if last <= first:
                raise ValueError(
                    f"nothing is left to train on before row {start}: gap={self.gap}, "
                    f"max_train_size={self.max_train_size}. Lower gap, or use fewer splits."
                )
            yield np.arange(first, last), np.arange(start, end)

    def _cuts(self, is_anomaly):
        n_samples = len(is_anomaly)
        edges = np.flatnonzero(np.diff(is_anomaly, prepend=False, append=False))
        begins, ends = edges[::2], edges[1::2]
        first = n_samples // (self.n_splits + 1)
        for begin, end in zip(begins, ends, strict=True):
            first = end if begin < first < end else first  # an episode is never cut
        begins, ends = begins[begins >= first], ends[begins >= first]
        if len(begins) < self.n_splits or first == 0:
            raise ValueError(
                f"n_splits={self.n_splits} is more than the {len(begins)} episodes of anomalies "
                f"that begin after the first {first} rows. Use fewer splits."
            )
        parts = np.array_split(np.arange(len(begins)), self.n_splits)
        inner = [(ends[part[0] - 1] + begins[part[0]]) // 2 for part in parts[1:]]
        return [first, *inner, n_samples]


class NormalOnlySplit(_AnomalySplitter):
    """Train on normal rows only; test on the rows, anomalies included, of another splitter.

    Labelled anomalies and unlabelled rows never train. This measures a detector as it is used
    where clean training data can be had.

    Parameters
    ----------
    cv : int or splitter, default=5
        Number of stratified folds, or any splitter: `StratifiedAnomalyKFold` to shuffle,
        `GroupedAnomalyKFold`, `TimeOrderedSplit`, or one of scikit-learn.
    all_anomalies : bool, default=False
        Test on all anomalies in every split. They are then more frequent in the tests than in
        the data, which raises precision and average precision, but a handful is enough. Not
        meant for splitters that keep groups or time apart.
    anomaly_label : scalar, default="auto"
        As in `StratifiedAnomalyKFold`.

    Raises
    ------
    ValueError
        By ``split``: if a split has no normal row to train on, or `cv` is not a splitter.

    Examples
    --------
    >>> from skanomaly.model_selection import NormalOnlySplit
    >>> y = [0, 1, 0, 0, 1, 0]
    >>> for train, test in NormalOnlySplit(2).split(y, y):
    ...     print(train, test)
    [3 5] [0 1 2]
    [0 2] [3 4 5]
    """

    def __init__(self, cv=5, *, all_anomalies=False, anomaly_label="auto"):
        self.cv = cv
        self.all_anomalies = all_anomalies
        self.anomaly_label = anomaly_label

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object
            Passed on to the splitter `cv`.

        Returns
        -------
        n_splits : int
            As the splitter says.
        """
        return self._splitter().get_n_splits(X, y, groups)

    def get_metadata_routing(self):
        """Return what the splitter `cv` requests, for scikit-learn's metadata routing.

        Returns
        -------
        routing : MetadataRequest
            The request of the splitter.
        """
        return get_routing_for_object(self._splitter())

    def split(self, X, y=None, groups=None):
        """Generate the rows of each split.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Labels in any coding.
        groups : array-like of shape (n_samples,), default=None
            Passed on to the splitter `cv`.

        Yields
        ------
        train : ndarray
            Row numbers to train on: normal rows.
        test : ndarray
            Row numbers to test on.
        """
        labels = read_labels(y, anomaly_label=self.anomaly_label, n_samples=_n_rows(X))
        splitter = self._splitter()
        its_y = _labels_for(splitter, y, _recode(labels))
        for train, test in splitter.split(X, its_y, groups):
            train = train[labels[train] == 1]
            if len(train) == 0:
                raise ValueError(
                    "a split has no normal row to train on. Use fewer or shuffled splits, or "
                    "label some rows as normal."
                )
            if self.all_anomalies:
                test = np.union1d(test, np.flatnonzero(labels == -1))
            yield train, test

    def _splitter(self):
        if isinstance(self.cv, (int, np.integer)) and not isinstance(self.cv, bool):
            return (
                _AnyStratified(self.cv) if self.all_anomalies else StratifiedAnomalyKFold(self.cv)
            )
        if isinstance(self.cv, str) or not hasattr(self.cv, "split"):
            raise ValueError(
                f"cv must be a number of folds or an object with a method split, got {self.cv!r}."
            )
        return self.cv


class _AnyStratified(StratifiedAnomalyKFold):
    """Stratified folds that may lack anomalies: for tests that get all of them anyway."""

    def _iter_test_masks(self, X, y=None, groups=None):
        yield from _stratified_masks(self._read(X, y), self.n_splits, None)


# ------------------------------------------------------------------------------- comparison


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
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,), default=None
        Labels in any coding; rows without a label train but are not scored. Detectors that
        learn from labels get them (-1, 1, NaN for none), except those with an
        ``anomaly_label`` of their own, which get `y` as it is.
    cv : int, splitter or iterable of (train, test), default=5
        Splits, the same for all detectors. A number gives that many shuffled folds with a
        fixed seed, stratified by anomaly if there is a `y`.
    scoring : str, list of str, callable or dict of str to these, default=None
        Names as in `skanomaly.metrics.anomaly_scorer`, or scorers; higher must be better. None
        takes "roc_auc" and "average_precision", without y "excess_mass" and "neg_mass_volume".
    groups : array-like of shape (n_samples,), default=None
        For splitters that need groups.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly, as in `skanomaly.metrics.roc_auc`.
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
        If there is no detector, names are not unique, or a metric is unknown.

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
    named = _name_detectors(detectors)
    coded = None
    if y is not None:
        coded = _recode(read_labels(y, anomaly_label=anomaly_label, n_samples=_n_rows(X)))
    scorers = _name_scorers(scoring, y)
    splits = _make_splits(cv, X, y, coded, groups)
    rows = Parallel(n_jobs=n_jobs)(
        delayed(_run_split)(
            name, clone(detector), X, y, coded, number, split, scorers, error_score
        )
        for name, detector in named.items()
        for number, split in enumerate(splits)
    )
    scores = _tidy(rows)
    if per_split:
        return scores
    overlap = np.mean([len(test) / len(train) for train, test in splits])
    return _summarise(scores, overlap)


def plot_comparison(results, metric=None, *, ax=None):
    """Plot what `compare_detectors` returns: one line per detector, the best on top.

    Dots are means, bars one standard deviation over the splits. Hollow dots are detectors
    that the best one beats significantly (p below 0.05).

    Parameters
    ----------
    results : DataFrame
        Summary by `compare_detectors`.
    metric : str, default=None
        Which metric to plot. None takes the first.
    ax : matplotlib Axes, default=None
        Where to draw. None makes a new figure.

    Returns
    -------
    ax : matplotlib Axes
        The axes drawn on.

    Raises
    ------
    ValueError
        If `results` is not such a summary or has no such metric.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from skanomaly.model_selection import plot_comparison
    >>> plot_comparison(results)  # doctest: +SKIP
    """
    if not {"metric", "detector", "mean", "std", "p_value"} <= set(results):
        raise ValueError(
            "results must be the summary that compare_detectors returns (per_split=False), got "
            f"the columns {list(results)}."
        )
    metric = results["metric"].iloc[0] if metric is None else metric
    shown = results[results["metric"] == metric].iloc[::-1]
    if shown.empty:
        raise ValueError(f"metric must be one of {[*results['metric'].unique()]}, got {metric!r}.")
    if ax is None:
        ax = _import_pyplot().subplots(figsize=(6.4, 1.2 + 0.4 * len(shown)), layout="tight")[1]
    _draw_comparison(ax, shown, metric)
    return ax


def _draw_comparison(ax, shown, metric):
    blue, places = "#0072B2", np.arange(len(shown))
    ax.errorbar(shown["mean"], places, xerr=shown["std"], fmt="none", ecolor=blue, capsize=3)
    beaten = (shown["p_value"] < 0.05).to_numpy()
    for chosen, fill, label in ((~beaten, blue, None), (beaten, "white", "worse, p < 0.05")):
        if chosen.any():
            style = {"facecolor": fill, "edgecolor": blue, "label": label, "zorder": 3}
            ax.scatter(shown["mean"][chosen], places[chosen], **style)
    ax.set(yticks=places, yticklabels=shown["detector"], ylim=(-0.5, len(shown) - 0.5))
    ax.set_xlabel(f"{metric} (mean and standard deviation over splits)")
    if beaten.any():
        ax.legend()


def _import_pyplot():
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plot_comparison needs matplotlib. Install it with: pip install 'skanomaly[plot]'"
        ) from error
    return plt


def _run_split(name, detector, X, y, coded, number, split, scorers, error_score):
    train, test = split
    its_y = _labels_for(detector, y, coded)
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
        its_y = _labels_for(scorer, y, coded)
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
    if isinstance(detectors, dict):
        pairs = list(detectors.items())
    else:
        pairs = [d if isinstance(d, tuple) else (None, d) for d in detectors]
    if not pairs:
        raise ValueError("detectors must hold at least one detector, got none.")
    named = {}
    for name, detector in pairs:
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
    if isinstance(scoring, dict):
        return {n: anomaly_scorer(s) if isinstance(s, str) else s for n, s in scoring.items()}
    if callable(scoring):
        name = getattr(scoring, "metric", getattr(scoring, "__name__", "score"))
        return {name if isinstance(name, str) else "score": scoring}
    names = [scoring] if isinstance(scoring, str) else list(scoring)
    return {"score": anomaly_scorer(names)}


def _make_splits(cv, X, y, coded, groups):
    if isinstance(cv, (int, np.integer)):
        folds = KFold if y is None else StratifiedAnomalyKFold
        cv = folds(cv, shuffle=True, random_state=0)
    cv = check_cv(cv)
    return list(cv.split(X, _labels_for(cv, y, coded), groups))


def _labels_for(consumer, y, coded):
    """Return y as it came to whoever names the anomaly itself, -1/+1 to everybody else."""
    if hasattr(consumer, "get_params"):
        params = consumer.get_params()
    else:
        params = getattr(consumer, "__dict__", {})
    own = [value for name, value in params.items() if name.endswith("anomaly_label")]
    return y if any(not isinstance(value, str) or value != "auto" for value in own) else coded


def _recode(labels):
    """Return labels read before in a coding that needs no guessing."""
    return np.where(labels == 0, np.nan, labels) if (labels == 0).any() else labels


def _n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _check_shuffle(shuffle, random_state):
    if not shuffle and random_state is not None:
        raise ValueError(
            f"random_state={random_state!r} has no effect without shuffle=True. Set "
            "shuffle=True, or leave random_state=None."
        )
    return check_random_state(random_state) if shuffle else None


def _stratified_masks(strata, n_splits, rng):
    """Yield test masks whose sizes, in total and per stratum, differ by at most one row."""
    in_order = np.sort(strata)
    fold = np.empty(len(strata), dtype=int)
    for stratum in np.unique(strata):
        sizes = [np.sum(in_order[i::n_splits] == stratum) for i in range(n_splits)]
        folds = np.repeat(np.arange(n_splits), sizes)
        fold[strata == stratum] = folds if rng is None else rng.permutation(folds)
    for i in range(n_splits):
        yield fold == i
