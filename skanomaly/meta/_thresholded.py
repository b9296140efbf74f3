"""ThresholdedDetector: any outlier detector with a threshold chosen by a rule.

Owns: which scores a rule sees, and what calibrates probabilities. Does not own: the rules
(``thresholds._unlabelled``), or how rows are held out (``meta._cross_fitting``).
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skanomaly.base import ProbabilityMixin
from skanomaly.meta._base import KeptScoresMixin, MetaDetector, copy_features
from skanomaly.meta._cross_fitting import checked_scores, fit_folds, fit_on, is_frozen, make_splits
from skanomaly.thresholds._named import RULES, check_rule, has_both, rule_threshold
from skanomaly.utils._calibration import MAPS
from skanomaly.utils._docs import documented


@documented
class ThresholdedDetector(KeptScoresMixin, ProbabilityMixin, MetaDetector):
    """Any outlier detector with a threshold that holds for new rows.

    Thresholds that detectors set on their training scores promise too much: a model fits the rows
    it has seen better than new ones. This estimator finds the threshold on scores of rows that the
    detector did not train on, by the rule that suits the purpose, and changes it afterwards
    without training again.

    Parameters
    ----------
    estimator : estimator
        Outlier detector of scikit-learn or skanomaly, or a pipeline that ends in one; a clone is
        fitted. A fitted one inside `sklearn.frozen.FrozenEstimator` stays as it is: `fit` then
        sets the threshold alone, on rows that should not have been among its training rows.
    rule : str, callable or object, default="auto"
        - "auto": three robust standard deviations below the median, see
          `skanomaly.thresholds.robust_threshold`;
        - "contamination": the share `level` of the rows lies below;
        - "fpr": at most the share `level` of new normal rows lies below, whatever the
          distribution;
        - "pot": the same for small shares, by a model of the tail;
        - "f1": the best F1 of the anomaly class;
        - "precision", "recall": at least `level` of it, and as much of the other as can be had;
        - "cost": the lowest total cost of mistakes;
        - a callable ``rule(scores, labels)`` that returns the threshold, with labels coded -1
          (anomaly), 1 (normal) and 0 (unlabelled), or None;
        - a rule of PyThresh, such as ``pythresh.thresholds.iqr.IQR()``: as many rows as it labels
          lie below.

        The last four names need labels in `fit`, and leave out rows without one; "fpr" and "pot"
        leave known anomalies out.
    level : float in (0, 1), default=None
        What the rule aims at; required by "contamination", "fpr", "pot", "precision" and
        "recall".
    cost_fp : float, default=1.0
        Cost of a false alarm, for "cost".
    cost_fn : float, default=1.0
        Cost of a missed anomaly, for "cost".
    cv : int, float, splitter or None, default=5
        Where the scores come from:

        - int or splitter: out of fold. The detector is fitted once for each fold, and once more
          to all rows for predictions. This assumes that both give scores of the same
          distribution;
        - float in (0, 1): that share of the rows is held out. The detector is fitted once, to the
          others; what "fpr" promises is then exact;
        - None: scores of the training rows, the cheapest and most optimistic choice.

        Folds and shares are drawn at random, with as many known anomalies in each as in the
        whole. They would tear the series of a `WindowedDetector` apart, which needs a splitter
        such as `sklearn.model_selection.TimeSeriesSplit`, None, or to be fitted before.
    probability : {"sigmoid", "isotonic"}, default="sigmoid"
        How `predict_proba` is calibrated. There is such a method only after a fit with labels of
        both classes, and not with ``cv=None``: training scores cannot calibrate. Rows without a
        label are left out, so that the probabilities hold for rows that are like the labelled
        ones.
    %(anomaly_label)s
    %(n_jobs)s
    random_state : int, RandomState instance or None, default=None
        Seed of the folds. The detector has its own.

    Attributes
    ----------
    %(estimator_)s
    %(offset_)s
    scores_ : ndarray of shape (n_scores,)
        The scores that rules look at: out of fold, held out or of the training rows.
    labels_ : ndarray of shape (n_scores,) or None
        Labels of these rows: -1 anomaly, 1 normal, 0 unlabelled; None without `y`.
    classes_ : ndarray of shape (2,)
        ``[-1, 1]``, where there is a `predict_proba`.
    %(inner_n_features_in_)s
    %(inner_feature_names_in_)s

    See Also
    --------
    ConformalDetector : P-values, and control of the false discovery rate.
    skanomaly.thresholds : The rules as functions.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly import ThresholdedDetector
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> benign, malignant = X[y == 1], X[y == 0]
    >>> forest = IsolationForest(n_estimators=50, random_state=0)
    >>> detector = ThresholdedDetector(forest, rule="fpr", level=0.05, random_state=0)
    >>> detector = detector.fit(benign[:250])
    >>> print(f"false alarms: {(detector.predict(benign[250:]) == -1).mean():.0%}")
    false alarms: ...%
    >>> detector.set_threshold("fpr", level=0.2).predict(malignant[:3])
    array([-1, -1, -1])
    """

    _state_parts = tuple(MAPS.values())
    _parameter_constraints: dict = {
        **MetaDetector._parameter_constraints,
        "rule": [StrOptions(set(RULES)), callable, HasMethods(["eval"])],
        "level": [None, Interval(Real, 0, 1, closed="right")],
        "cost_fp": [Interval(Real, 0, None, closed="left")],
        "cost_fn": [Interval(Real, 0, None, closed="left")],
        "cv": [
            None,
            Interval(Integral, 2, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            HasMethods(["split", "get_n_splits"]),
        ],
        "probability": [StrOptions(set(MAPS))],
    }

    _needs_for_probabilities = (
        "a fit with labels of both classes, and scores of rows that the detector did not train on "
        "(cv or a FrozenEstimator). Use decision_function."
    )

    def __init__(
        self,
        estimator,
        rule="auto",
        *,
        level=None,
        cost_fp=1.0,
        cost_fn=1.0,
        cv=5,
        probability="sigmoid",
        anomaly_label="auto",
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.rule = rule
        self.level = level
        self.cost_fp = cost_fp
        self.cost_fn = cost_fn
        self.cv = cv
        self.probability = probability
        self.anomaly_label = anomaly_label
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _fit_rows(self, rows):
        check_rule(self.rule, self.level, rows.codes)
        detector, scores, scored = self._out_of_fold_scores(rows)
        codes = None if rows.codes is None else rows.codes[scored]
        options = {"level": self.level, "cost_fp": self.cost_fp, "cost_fn": self.cost_fn}
        self.offset_ = rule_threshold(self.rule, scores, codes, **options)
        self._map = self._probabilities(scores, codes)
        self.estimator_, self.scores_, self.labels_ = detector, scores, codes
        copy_features(detector, self)

    def _probabilities(self, scores, codes):
        """Return the map from scores to probabilities, or None where nothing calibrates it."""
        out_of_fold = self.cv is not None or is_frozen(self.estimator)
        if not (out_of_fold and has_both(codes)):
            return None
        known = codes != 0
        return MAPS[self.probability](scores[known], codes[known] == -1)

    def _out_of_fold_scores(self, rows):
        """Return the fitted detector, scores to look at, and the numbers of their rows."""
        if self.cv is None or is_frozen(self.estimator):
            detector = fit_on(self.estimator, rows)
            return detector, checked_scores(detector, rows.X), np.arange(len(rows))
        splits = make_splits(self.cv, rows, self.random_state, self.estimator)
        fitted, scores, tests = fit_folds(self.estimator, rows, splits, self.n_jobs)
        one = isinstance(self.cv, Real) and not isinstance(self.cv, Integral)
        detector = fitted[0] if one else fit_on(self.estimator, rows)
        return detector, np.concatenate(scores), np.concatenate(tests)

    @property
    def _scores_by(self):
        return self.estimator_

    @property
    def classes_(self):
        """Labels of the columns of `predict_proba`."""
        if getattr(self, "_map", None) is None:
            raise AttributeError("'ThresholdedDetector' has no 'classes_' without probabilities.")
        return np.array([-1, 1])
