"""DriftMonitor: tells when new rows are no longer like those a detector was fitted to.

Owns: what is compared with what, alarms and reports. Does not own: the test
(``meta._martingale``), bins of columns (``meta._column_bins``), or rows that are held out
(``meta._cross_fitting``).
"""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from skanomaly.base import unchanged_on_failure
from skanomaly.meta._base import KeptScoresMixin, MetaDetector, copy_features
from skanomaly.meta._column_bins import N_BINS, ColumnBins, stability_index, table_columns
from skanomaly.meta._cross_fitting import checked_scores, fit_folds, fit_on, is_frozen, make_splits
from skanomaly.meta._drift_report import DriftReport
from skanomaly.meta._martingale import ConformalMartingale
from skanomaly.utils._containers import collected
from skanomaly.utils._docs import documented
from skanomaly.utils._random import random_generator, random_seed
from skanomaly.utils._response import judges_neighbours

#: The share of the reference rows that bins are found on; the others are compared with.
_SHARE_FOR_BINS = 0.2


@documented
class DriftMonitor(KeptScoresMixin, MetaDetector):
    """Tell when new rows are no longer like those that a detector was fitted to.

    The scores of normal operation are those of rows that the detector did not train on. Each
    batch given to `update` continues one test of whether new scores could be more of the same: a
    conformal test martingale [1]_. It may be looked at after every batch, for ever: as long as
    new rows are exchangeable with the reference rows, **the probability that there is ever an
    alarm is at most** `alpha`, by Ville's inequality, whatever the detector, the distribution
    and the sizes of the batches. A second such test on each column, at ``alpha / n_columns``,
    tells which columns moved, with the same bound for all of them together. Sparse matrices,
    images and texts are watched by their scores alone.

    Parameters
    ----------
    estimator : estimator
        Outlier detector of scikit-learn or skanomaly, or a pipeline that ends in one; a clone is
        fitted. A fitted one inside `sklearn.frozen.FrozenEstimator` stays as it is: all rows
        given to `fit` are then reference rows, and must not have been among its training rows.
        It must judge every row by itself, which `WindowedDetector` does not.
    alpha : float in (0, 1), default=0.01
        Probability of ever raising a false alarm.
    cv : float, int or splitter, default=0.25
        Which of the rows given to `fit`, those of normal operation, are the reference; known
        anomalies never are:

        - float in (0, 1): that share of the rows is held out, and the detector is fitted once to
          the others. The bound is exact;
        - int or splitter: all rows, by scores out of fold, and the detector is fitted once more
          to all of them. More power where rows are few, but scores of the last fit are taken to
          be spread like those out of fold, so that the bound is approximate.
    anomaly_label : scalar, default="auto"
        The value of `y` that marks an anomaly, as in `skanomaly.metrics.roc_auc_score`. Known
        anomalies are no reference rows.
    %(n_jobs)s
    random_state : int, RandomState instance or None, default=None
        Seed of what is held out and of ties. The detector has its own.

    Attributes
    ----------
    %(estimator_)s
    drift_ : bool
        Whether there has been an alarm on the scores since `fit` or `reset`.
    moved_columns_ : list of str
        Columns on which there has been an alarm.
    n_rows_ : int
        Rows given to `update` since `fit` or `reset`.
    offset_ : float
        Threshold on the scores: the detector's own, until `set_threshold`.
    scores_ : ndarray of shape (n_reference,)
        Scores of the reference rows.
    %(inner_n_features_in_)s
    %(inner_feature_names_in_)s

    See Also
    --------
    ConformalDetector : P-values of single rows.
    skanomaly.thresholds.alert_budget_threshold : So many alerts in so many rows.

    Notes
    -----
    New values are compared with the reference rows and with all new ones before them, in 32 bins,
    so that memory does not grow. A change is told soonest when it is sudden: of 1,000 reference
    rows, a shift of the scores by half a standard deviation is found after about 50 rows, or
    100 if thousands of unchanged rows came before. The slower it creeps in, the more the test
    gets used to it.

    Rows are exchangeable if their order tells nothing: with daily or weekly rhythms, a reference
    of a single day makes the next weekend a drift, and rightly so. Take reference rows from all
    of the rhythm.

    References
    ----------
    .. [1] V. Vovk, I. Petej, I. Nouretdinov, E. Ahlberg, L. Carlsson and A. Gammerman, "Retrain
       or Not Retrain: Conformal Test Martingales for Change-Point Detection", COPA 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly import DriftMonitor
    >>> rng = np.random.default_rng(0)
    >>> forest = IsolationForest(n_estimators=50, random_state=0)
    >>> monitor = DriftMonitor(forest, random_state=0).fit(rng.normal(size=(1000, 3)))
    >>> monitor.update(rng.normal(size=(300, 3)))
    <DriftReport of 300 rows: no drift of the scores; no column moved>
    >>> monitor.update(rng.normal(size=(300, 3)) + [0, 0, 2])
    <DriftReport of 300 rows: drift since row ...; moved columns: x2>
    """

    _state_parts = (ConformalMartingale, ColumnBins)
    _parameter_constraints: dict = {
        **MetaDetector._parameter_constraints,
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "cv": [
            Interval(Integral, 2, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            HasMethods(["split", "get_n_splits"]),
        ],
    }

    def __init__(
        self,
        estimator,
        *,
        alpha=0.01,
        cv=0.25,
        anomaly_label="auto",
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.alpha = alpha
        self.cv = cv
        self.anomaly_label = anomaly_label
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit_rows(self, rows):
        _refuse_series(self.estimator)
        rng = random_generator(self.random_state)
        estimator, scores, reference = self._reference(rows, rng)
        _check_some(scores, len(rows))
        order = rng.permutation(len(scores))
        columns = {
            name: pd.Series(values).iloc[reference].iloc[order]
            for name, values in table_columns(rows.X).items()
        }
        self._bins = [ColumnBins(part) for part in _first(scores[order], columns)]
        self._names = list(columns)
        known = max(int(len(scores) * _SHARE_FOR_BINS), 1)
        codes = self._codes(scores[order], columns)[known:]
        self._counts = np.stack([np.bincount(code, minlength=N_BINS) for code in codes.T])
        self._typical = _typical(self._bins[1:], columns)
        self._seed = random_seed(rng)
        self.estimator_, self.scores_ = estimator, scores
        self.offset_ = _offset_of(estimator)
        copy_features(estimator, self)
        self.reset()

    def reset(self):
        """Forget all batches, as after a mended fault: the test starts anew.

        Returns
        -------
        self : object
            The estimator, as it was after `fit`.
        """
        self._scores_test = ConformalMartingale(self._counts[:1], self._seed)
        self._columns_test = ConformalMartingale(self._counts[1:], self._seed + 1)
        self.detected_at_ = None
        return self

    def _reference(self, rows, rng):
        """Return the fitted detector, scores of reference rows, and their numbers."""
        usable = np.ones(len(rows), dtype=bool) if rows.codes is None else rows.codes != -1
        if is_frozen(self.estimator):
            estimator = fit_on(self.estimator, rows)
            return estimator, checked_scores(estimator, rows.X)[usable], np.flatnonzero(usable)
        splits = make_splits(self.cv, rows, rng)
        splits = [(train, test[usable[test]]) for train, test in splits]
        splits = [(train, test) for train, test in splits if len(test)]
        if not splits:
            _check_some([], len(rows))
        fitted, scores, tests = fit_folds(self.estimator, rows, splits, self.n_jobs)
        one = isinstance(self.cv, Real) and not isinstance(self.cv, Integral)
        estimator = fitted[0] if one else fit_on(self.estimator, rows)
        return estimator, np.concatenate(scores), np.concatenate(tests)

    def update(self, X, *, scores=None):
        """Continue the test with a batch of new rows, in their order.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            New rows.
        scores : array-like of shape (n_samples,), default=None
            Their `score_samples`, where they are known already; None computes them.

        Returns
        -------
        report : DriftReport
            What has been found up to now, and in this batch.

        Raises
        ------
        ValueError
            If the rows or scores do not fit. The test is then as it was.
        """
        check_is_fitted(self)
        X = collected(X)
        scores = self.score_samples(X) if scores is None else np.asarray(scores, dtype=float)
        columns = table_columns(X)
        self._check_batch(X, scores, columns)
        codes = self._codes(scores, columns)
        with unchanged_on_failure(self):
            before = self._scores_test.n_rows
            wealth = self._scores_test.update(codes[:, :1])[:, 0]
            self._columns_test.update(codes[:, 1:])
            over = np.flatnonzero(wealth >= -np.log(self.alpha))
            if self.detected_at_ is None and len(over):
                self.detected_at_ = int(before + over[0] + 1)
        return self._report(scores, columns, codes)

    def _check_batch(self, X, scores, columns):
        n_rows = len(next(iter(columns.values()))) if columns else len(scores)
        if scores.shape != (n_rows,) or not np.isfinite(scores).all():
            raise ValueError(
                f"scores must be finite, one for each of the {n_rows} rows, got the shape "
                f"{scores.shape}. Pass what score_samples returns for X."
            )
        missing = [name for name in self._names if name not in columns]
        if missing:
            raise ValueError(
                f"X lacks the columns {missing} that `fit` had. Pass a table that has them."
            )

    def _codes(self, scores, columns):
        parts = [scores, *(columns[name] for name in self._names)]
        pairs = zip(self._bins, parts, strict=True)
        return np.stack([bins.codes(part) for bins, part in pairs], axis=1)

    def _report(self, scores, columns, codes):
        limit = self._scores_test.log_largest[0]
        return DriftReport(
            drift=self.drift_,
            detected_at=self.detected_at_,
            evidence=float(np.exp(min(limit, 700.0))),
            n_rows=self.n_rows_,
            n_batch=len(scores),
            flagged=float(np.mean(scores < self.offset_)) if len(scores) else 0.0,
            columns=self._column_table(columns, codes[:, 1:]),
        )

    def _column_table(self, columns, codes):
        counts = [np.bincount(code, minlength=N_BINS) for code in codes.T]
        reference = self._counts[1:]
        total = max(len(codes), 1)
        typical = _typical(self._bins[1:], columns, self._names)
        pairs = list(zip(reference, counts, strict=True))
        unseen = [
            count[-1] / total if not (bins.numeric or known[-1]) else 0.0
            for bins, (known, count) in zip(self._bins[1:], pairs, strict=True)
        ]
        table = pd.DataFrame(
            {
                "moved": self._columns_test.log_largest >= self._column_limit(),
                "evidence": np.exp(np.minimum(self._columns_test.log_largest, 700.0)),
                "psi": [stability_index(*pair) if len(codes) else 0.0 for pair in pairs],
                "reference": pd.Series(self._typical, dtype=object).to_numpy(),
                "batch": pd.Series(typical, dtype=object).to_numpy(),
                "missing_reference": [known[0] / max(known.sum(), 1) for known in reference],
                "missing_batch": [count[0] / total for count in counts],
                "unseen": unseen,
            },
            index=pd.Index(self._names, name="column", dtype=object),
        )
        return table.sort_values(["moved", "evidence"], ascending=False, kind="stable")

    def _column_limit(self):
        return np.log(max(len(self._names), 1) / self.alpha)

    @property
    def drift_(self):
        """Whether there has been an alarm on the scores since `fit` or `reset`."""
        check_is_fitted(self)
        return self.detected_at_ is not None

    @property
    def moved_columns_(self):
        """Columns on which there has been an alarm since `fit` or `reset`."""
        check_is_fitted(self)
        moved = self._columns_test.log_largest >= self._column_limit()
        return [name for name, is_moved in zip(self._names, moved, strict=True) if is_moved]

    @property
    def n_rows_(self):
        """Rows given to `update` since `fit` or `reset`."""
        check_is_fitted(self)
        return self._scores_test.n_rows

    @property
    def _scores_by(self):
        return self.estimator_

    def __sklearn_is_fitted__(self):
        return "_scores_test" in vars(self)


def _refuse_series(estimator):
    """Refuse a detector of series, even a fitted one: all its scores look like drift."""
    if judges_neighbours(estimator):
        raise ValueError(
            "DriftMonitor takes rows whose order tells nothing, but WindowedDetector judges rows "
            "by those before and after them, and neighbouring scores that are alike look like "
            "drift. Pass windows that do not overlap as rows, such as "
            "X.reshape(-1, window_size * n_channels), and a detector of rows."
        )


def _check_some(scores, n_samples):
    if len(scores) == 0:
        raise ValueError(
            f"no reference row is left of n_samples={n_samples}: none is both held out and not a "
            "known anomaly. Pass more rows, or a larger share in cv."
        )


def _first(scores, columns):
    """Return scores and columns of the first rows, which bins are found on."""
    known = max(int(len(scores) * _SHARE_FOR_BINS), 1)
    return [part[:known] for part in (scores, *columns.values())]


def _typical(bins, columns, names=None):
    names = columns if names is None else names
    return [one.typical(columns[name]) for one, name in zip(bins, names, strict=True)]


def _offset_of(detector):
    """Return a detector's own threshold on its scores."""
    if not hasattr(detector, "score_samples"):
        return 0.0  # its scores are those of decision_function
    for name in ("estimator", "best_estimator_"):
        while hasattr(detector, name) and not hasattr(detector, "offset_"):
            detector = getattr(detector, name)
    last = detector.steps[-1][1] if hasattr(detector, "steps") else detector
    return float(np.ravel(last.offset_)[0])
