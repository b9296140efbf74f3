"""Splitters for ``cv=`` that know which rows are anomalies, whatever the coding of labels.

Owns: the splitters. Does not own: the meaning of labels (``utils._labels``).
"""

import itertools

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, TimeSeriesSplit
from sklearn.utils.metadata_routing import get_routing_for_object

from skanomaly.utils._containers import n_rows
from skanomaly.utils._docs import documented
from skanomaly.utils._labels import read_labels
from skanomaly.utils._labels_handed_on import labels_for, recode
from skanomaly.utils._random import random_generator
from skanomaly.utils._validation import check_integer, check_switch


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
        check_integer(self.n_splits, "n_splits", 2)
        return read_labels(y, anomaly_label=self.anomaly_label, n_samples=n_rows(X))


@documented
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
    %(shuffle_random_state)s
    %(anomaly_label)s

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
        yield from stratified_masks(labels, self.n_splits, rng)


@documented
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
    %(shuffle_random_state)s
    %(anomaly_label)s

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
        groups = pd.Series(groups).to_numpy()
        if groups.shape != labels.shape:
            raise ValueError(
                f"groups must have one value for each of the {len(labels)} rows, got the shape "
                f"{groups.shape}. Pass the groups that belong to these rows."
            )
        codes = _group_numbers(groups)
        n_groups = len(np.unique(codes[labels == -1]))
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
        tests = [test for _, test in folds.split(labels, labels, codes)]
        yield from _with_an_anomaly_each(tests, labels, codes)


def _group_numbers(groups):
    """Return the number of each row's group, sorted where groups can be."""
    try:
        return np.unique(groups, return_inverse=True)[1]
    except TypeError:  # texts and None
        return pd.factorize(groups, use_na_sentinel=False)[0]


def _with_an_anomaly_each(tests, labels, groups):
    """Return folds of which none lacks an anomaly: those that do get a group with few of them.

    It comes from the fold with the most such groups, which keeps one.
    """
    fold = np.empty(groups.max() + 1, dtype=int)
    for number, test in enumerate(tests):
        fold[groups[test]] = number
    anomalies = np.bincount(groups, labels == -1)
    while len(lacking := np.setdiff1d(np.arange(len(tests)), fold[anomalies > 0])):
        giving = np.bincount(fold[anomalies > 0], minlength=len(tests)).argmax()
        own = np.flatnonzero((fold == giving) & (anomalies > 0))
        fold[own[anomalies[own].argmin()]] = lacking[0]
    return [np.flatnonzero(fold[groups] == number) for number in range(len(tests))]


@documented
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
    %(anomaly_label)s

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
        check_integer(self.gap, "gap", 0)
        if self.max_train_size is not None:
            check_integer(self.max_train_size, "max_train_size", 1, "None or ")
        if y is None:
            check_integer(self.n_splits, "n_splits", 2)
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


@documented
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
    %(anomaly_label)s

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
        %(X)s
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
        check_switch(self.all_anomalies, "all_anomalies")
        labels = read_labels(y, anomaly_label=self.anomaly_label, n_samples=n_rows(X))
        splitter = self._splitter()
        its_y = labels_for(splitter, y, recode(labels))
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
        labels = self._read(X, y)
        if len(labels) < self.n_splits:
            raise ValueError(
                f"cv={self.n_splits} is more folds than the {len(labels)} rows. Use fewer folds."
            )
        yield from stratified_masks(labels, self.n_splits, None)


def _check_shuffle(shuffle, random_state):
    check_switch(shuffle, "shuffle")
    if not shuffle and random_state is not None:
        raise ValueError(
            f"random_state={random_state!r} has no effect without shuffle=True. Set "
            "shuffle=True, or leave random_state=None."
        )
    return random_generator(random_state) if shuffle else None


def stratified_masks(strata, n_splits, rng):
    """Yield test masks whose sizes, in total and per stratum, differ by at most one row."""
    in_order = np.sort(strata)
    fold = np.empty(len(strata), dtype=int)
    for stratum in np.unique(strata):
        sizes = [np.sum(in_order[i::n_splits] == stratum) for i in range(n_splits)]
        folds = np.repeat(np.arange(n_splits), sizes)
        fold[strata == stratum] = folds if rng is None else rng.permutation(folds)
    for i in range(n_splits):
        yield fold == i
