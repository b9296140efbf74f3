"""ConformalDetector: p-values and error rates around any outlier detector.

Owns: which rows calibrate, and what is decided. Does not own: the arithmetic of p-values
(``meta._p_values``), or the fitting on parts of the rows (``meta._cross_fitting``).
"""

import math
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skanomaly.meta._base import MetaDetector, copy_features
from skanomaly.meta._cross_fitting import (
    checked_scores,
    fit_folds,
    fit_on,
    is_frozen,
    make_splits,
    refuse_torn_series,
)
from skanomaly.meta._p_values import (
    SLACK,
    benjamini_hochberg,
    conditional_table,
    marginal_table,
    smoothed_p_values,
    within_count,
)
from skanomaly.utils._docs import documented
from skanomaly.utils._random import random_generator


@documented
class ConformalDetector(MetaDetector):
    """P-values and controlled error rates around any outlier detector.

    A row's p-value says how many normal rows, which the detector did not train on, look at least
    as abnormal. To call rows with p-values of at most `alpha` anomalies then has that rate of
    false alarms, and with `fdr` at most that share of the alarms are false, on average, whatever
    the detector and the distribution. All it takes is that new normal rows and calibration rows
    are exchangeable: no drift, and no anomalies among the calibration rows.

    Parameters
    ----------
    estimator : estimator
        Outlier detector of scikit-learn or skanomaly, or a pipeline that ends in one; clones are
        fitted. A fitted one inside `sklearn.frozen.FrozenEstimator` stays as it is: with
        ``method="split"`` all rows then calibrate, and must not have been among its training
        rows. A `WindowedDetector` is taken fitted, or for "cv+" with a splitter that keeps rows
        together.
    method : {"split", "cv+", "jackknife+"}, default="split"
        - "split": hold out `calibration_size` of the rows, fit the detector once to the others.
          Error rates are guaranteed [1]_ [2]_.
        - "cv+": fit it once per fold of `cv`; a row is compared with each calibration row through
          the detector that did not train on that one [3]_ [4]_. All rows train and calibrate.
          Proven is twice the rate; measured rates are close to the level.
        - "jackknife+": the same with a fold for each row: as many fits as rows.
    alpha : float in (0, 1), default=0.05
        Rate of false alarms: `predict` calls rows with p-values of at most `alpha` anomalies.
    fdr : float in (0, 1), default=None
        Level for the false discovery rate, the expected share of normal rows among the rows
        called anomalies. Where it is given, `predict` looks at all its rows at once, by the
        procedure of Benjamini and Hochberg: a row's label then depends on the others. None looks
        at each row alone.
    p_value : {"marginal", "conditional"}, default="marginal"
        Marginal p-values hold their rate on average over calibration sets. Conditional ones
        ("split" alone) hold it for all but a share `delta` of the calibration sets, at all levels
        at once, and are larger [2]_.
    delta : float in (0, 1), default=0.1
        Probability that conditional p-values may fail.
    calibration_size : float in (0, 1), default=0.25
        Share of the rows that "split" holds out.
    cv : int or splitter, default=5
        Folds of "cv+".
    smoothed : bool, default=False
        Break ties at random: p-values are then exactly uniform on normal rows instead of a
        little too large, and depend on `random_state`. Not with conditional p-values.
    %(anomaly_label)s
    %(n_jobs)s
    random_state : int, RandomState instance or None, default=None
        Seed of splits and of smoothing. The detector has its own.

    Attributes
    ----------
    estimators_ : list of estimators
        Fitted detectors: one, or one per fold.
    calibration_scores_ : ndarray of shape (n_calibration,)
        Scores of the calibration rows, by detectors that did not train on them, fold after fold.
    offset_ : float
        ``decision_function = score_samples - offset_``, for the present `alpha`.
    %(inner_n_features_in_)s
    %(inner_feature_names_in_)s

    Warns
    -----
    UserWarning
        If there are too few calibration rows for the level: p-values of n rows are no smaller
        than ``1 / (n + 1)``. In `predict` with `fdr`: if for that reason no row is selected.

    See Also
    --------
    ThresholdedDetector : The same rate of false alarms on the detector's own scale of scores.

    Notes
    -----
    `fit` is best given normal rows alone; known anomalies do not calibrate.

    With ``fdr``, "split" and marginal p-values keep the false discovery rate at the level times
    the share of normal rows, on average over calibration and new rows [2]_. `alpha`, `fdr` and
    `smoothed` may be changed by `set_params` without another `fit`.

    References
    ----------
    .. [1] R. Laxhammar and G. Falkman, "Inductive Conformal Anomaly Detection for Sequential
       Detection of Anomalous Sub-Trajectories", Annals of Mathematics and AI 74, 2015.
    .. [2] S. Bates, E. Candès, L. Lei, Y. Romano and M. Sesia, "Testing for Outliers with
       Conformal p-values", Annals of Statistics 51, 2023.
    .. [3] R. F. Barber, E. J. Candès, A. Ramdas and R. J. Tibshirani, "Predictive Inference with
       the Jackknife+", Annals of Statistics 49, 2021.
    .. [4] O. Hennhöfer and C. Preisach, "Leave-One-Out-, Bootstrap- and Cross-Conformal Anomaly
       Detectors", 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly import ConformalDetector
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> benign, malignant = X[y == 1], X[y == 0]
    >>> forest = IsolationForest(n_estimators=50, random_state=0)
    >>> detector = ConformalDetector(forest, calibration_size=0.5, random_state=0)
    >>> detector = detector.fit(benign[:300])
    >>> print(f"false alarms: {(detector.predict(benign[300:]) == -1).mean():.0%}")
    false alarms: ...%
    >>> print(f"found: {(detector.p_values(malignant) < 0.05).mean():.0%}")
    found: 7...%
    """

    _parameter_constraints: dict = {
        **MetaDetector._parameter_constraints,
        "method": [StrOptions({"split", "cv+", "jackknife+"})],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "fdr": [None, Interval(Real, 0, 1, closed="neither")],
        "p_value": [StrOptions({"marginal", "conditional"})],
        "delta": [Interval(Real, 0, 1, closed="neither")],
        "calibration_size": [Interval(Real, 0, 1, closed="neither")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split", "get_n_splits"])],
        "smoothed": ["boolean"],
    }

    def __init__(
        self,
        estimator,
        method="split",
        *,
        alpha=0.05,
        fdr=None,
        p_value="marginal",
        delta=0.1,
        calibration_size=0.25,
        cv=5,
        smoothed=False,
        anomaly_label="auto",
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.method = method
        self.alpha = alpha
        self.fdr = fdr
        self.p_value = p_value
        self.delta = delta
        self.calibration_size = calibration_size
        self.cv = cv
        self.smoothed = smoothed
        self.anomaly_label = anomaly_label
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit_rows(self, rows):
        self._check_options()
        detectors, scores = self._calibrate(rows)
        calibration = np.concatenate(scores)
        _check_calibration(calibration)
        self.estimators_, self.calibration_scores_ = detectors, calibration
        self._sorted = [np.sort(part) for part in scores]
        low, centre, high = np.quantile(calibration, [0.25, 0.5, 0.75])
        self._centre, self._scale = float(centre), float(max(high - low, 1e-12 * abs(centre)))
        self._scale = self._scale or 1.0
        n = len(calibration)
        conditional = self.p_value == "conditional"
        self._table = conditional_table(n, self.delta) if conditional else marginal_table(n)
        copy_features(detectors[0], self)
        self._warn_if_coarse()

    def _check_options(self):
        if self.p_value == "conditional" and self.method != "split":
            raise ValueError(
                "p_value='conditional' needs calibration rows that are independent given one "
                f"detector: method='split'. Got method={self.method!r}."
            )
        if self.p_value == "conditional" and self.smoothed:
            raise ValueError("smoothed=True works with p_value='marginal' alone. Leave one out.")
        if is_frozen(self.estimator) and self.method != "split":
            raise ValueError(
                f"method={self.method!r} fits the detector several times, which a FrozenEstimator "
                "does not allow. Use method='split', or the detector without FrozenEstimator."
            )

    def _calibrate(self, rows):
        """Return fitted detectors, and for each its scores of rows it did not train on."""
        usable = np.ones(len(rows), dtype=bool) if rows.codes is None else rows.codes != -1
        if not usable.any():
            raise ValueError(
                f"no row is left to calibrate on: all {len(rows)} are labelled as anomalies. Add "
                "normal rows, or say by anomaly_label which value of y is the anomaly."
            )
        if is_frozen(self.estimator):
            detector = fit_on(self.estimator, rows)
            return [detector], [checked_scores(detector, rows.X)[usable]]
        splits = self._splits(rows, usable)
        if not any(len(test) for _, test in splits):
            raise ValueError(
                f"no row is left to calibrate on: none of n_samples={len(rows)} rows is both held "
                "out and not a known anomaly. Pass more rows, or a larger calibration_size."
            )
        return fit_folds(self.estimator, rows, splits, self.n_jobs)[:2]

    def _splits(self, rows, usable):
        if self.method == "jackknife+":
            refuse_torn_series(self.estimator, "jackknife+")
            everything = np.arange(len(rows))
            return [(np.delete(everything, i), everything[i : i + 1]) for i in everything[usable]]
        cv = self.calibration_size if self.method == "split" else self.cv
        splits = make_splits(cv, rows, self.random_state, self.estimator)
        splits = [(train, test[usable[test]]) for train, test in splits]
        return [(train, test) for train, test in splits if len(test)]

    def _splitter(self):
        return super()._splitter() if self.method == "cv+" else None

    def _warn_if_coarse(self):
        name = "alpha" if self.fdr is None else "fdr"
        level, n = getattr(self, name), len(self.calibration_scores_)
        if self._table[0] > level * SLACK:
            warnings.warn(
                f"{n} calibration rows are too few: no p-value can be below "
                f"{self._table[0]:.3g}, so that at {name}={level} no row is called an anomaly. "
                f"At least {_rows_needed(level, self.p_value, self.delta):.15g} are needed.",
                UserWarning,
                stacklevel=5,
            )

    def p_values(self, X):
        """Return how probable it is for a normal row to look at least as abnormal.

        %(rows)s

        Returns
        -------
        p_values : ndarray of shape (n_samples,), float64
            Small for anomalies; at least ``1 / (n_calibration + 1)`` unless `smoothed`.
        """
        check_is_fitted(self)
        scores = self._all_scores(X)
        if not self.smoothed:
            return self._table[self._counts(scores, "right")]
        below = self._counts(scores, "left")
        equal = self._counts(scores, "right") - below
        rng = random_generator(self.random_state)
        return smoothed_p_values(below, equal, len(self.calibration_scores_), rng)

    def predict(self, X):
        """Label rows by their p-values.

        Anomalies are those with p-values of at most `alpha`, each row on its own; with `fdr`,
        those that Benjamini and Hochberg's procedure selects among all rows of `X`.

        %(labelling)s
        """
        check_is_fitted(self)
        self._validate_params()  # levels may have changed since the fit
        p_values = self.p_values(X)
        if self.fdr is None:
            return np.where(p_values <= self.alpha * SLACK, -1, 1)
        selected = benjamini_hochberg(p_values, self.fdr)
        lowest = np.count_nonzero(p_values <= self._table[0])
        if lowest and not selected.any() and not self.smoothed:
            needed = math.ceil(len(p_values) * self._table[0] / self.fdr)
            warnings.warn(
                f"no row is selected, although {lowest} of {len(p_values)} have the smallest "
                f"p-value that {len(self.calibration_scores_)} calibration rows allow, "
                f"{self._table[0]:.3g}: at fdr={self.fdr} it takes {needed} such rows. Calibrate "
                "on more rows, or test fewer at once.",
                UserWarning,
                stacklevel=2,
            )
        return np.where(selected, -1, 1)

    def score_samples(self, X):
        """Score rows: the lower, the more abnormal.

        A score is the share of calibration rows that are at least as abnormal, between 0 and 1.
        Rows with the same share, such as all that are more abnormal than every calibration row,
        are ranked by the detector's own scores.

        %(scoring)s
        """
        check_is_fitted(self)
        scores = self._all_scores(X)
        inside = within_count(np.mean(scores, axis=0), self._centre, self._scale)
        return (self._counts(scores, "right") + inside) / (len(self.calibration_scores_) + 1)

    @property
    def offset_(self):
        """Threshold on the scores for the present `alpha`."""
        if "_table" not in vars(self):
            raise AttributeError("'ConformalDetector' has no attribute 'offset_' before `fit`.")
        self._validate_params()
        allowed = np.count_nonzero(self._table <= self.alpha * SLACK)
        return allowed / (len(self.calibration_scores_) + 1)

    @property
    def _background(self):
        """Normal rows to explain others by: those that the first detector keeps."""
        return getattr(self.estimators_[0], "_background", None)

    def __sklearn_is_fitted__(self):
        return "_table" in vars(self)

    def _all_scores(self, X):
        scores = [checked_scores(detector, X, known=True) for detector in self.estimators_]
        return np.stack(scores)

    def _counts(self, scores, side):
        """Return how many calibration scores lie below each row's (side "right": or at it)."""
        pairs = zip(self._sorted, scores, strict=True)
        return np.sum([known.searchsorted(new, side) for known, new in pairs], axis=0)


def _check_calibration(scores):
    if scores.min() == scores.max():
        raise ValueError(
            f"all calibration scores are equal ({scores[0]}, n_samples={len(scores)}): p-values "
            "could not tell rows apart. Pass more rows, or check the detector."
        )


def _rows_needed(level, p_value, delta):
    """Return how many calibration rows bring the smallest p-value down to a level."""
    if p_value == "marginal":
        return _whole(1 / level / SLACK) - 1
    # the smallest is 1 - delta**(1 / k), k half the rows
    return 2 * _whole(math.log(delta) / math.log1p(-level))


def _whole(number):
    return math.ceil(min(number, 1e300))
