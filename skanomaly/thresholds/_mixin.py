"""ThresholdMixin: `set_threshold`, the same for all detectors that have it.

Owns: changing the threshold of a fitted detector. Does not own: the rules by name
(``thresholds._named``), or where a detector's scores come from.
"""

from numbers import Real

from sklearn.utils.validation import check_is_fitted

from skanomaly.thresholds._named import as_threshold, refuse_unknown


class ThresholdMixin:
    """A threshold `offset_` that changes without another fit.

    A detector brings ``_scores_and_labels(X, y)``: a function that returns the scores a rule looks
    at, or None where there are none, and label codes or None. With ``X=None`` they are those that
    `fit` has kept.
    """

    def set_threshold(self, threshold, X=None, y=None, *, level=None, cost_fp=1.0, cost_fn=1.0):
        """Change the threshold `offset_` of a fitted detector; nothing is trained again.

        Parameters
        ----------
        threshold : float, str or callable
            The threshold itself, or a rule, as `ThresholdedDetector` takes it: "auto",
            "contamination", "fpr", "pot", "f1", "precision", "recall", "cost".
        X : array-like of shape (n_samples, n_features), default=None
            Rows whose scores a rule looks at. The threshold means what the rule says for new
            rows if the detector did not train on these. None is for numbers, and for the scores
            that `ThresholdedDetector` keeps.
        y : array-like of shape (n_samples,), default=None
            Labels of these rows, for the rules that need them. "fpr" and "pot" leave known
            anomalies out.
        level : float in (0, 1), default=None
            What the rule aims at.
        cost_fp, cost_fn : float, default=1.0
            Costs of a false alarm and of a missed anomaly, for "cost".

        Returns
        -------
        self : object
            The detector with this threshold, until it learns again: by `fit`, or by a
            `partial_fit` that has seen enough new rows for that.

        Raises
        ------
        ValueError
            If the rule lacks its rows, labels or level, or does not work for these scores. The
            threshold is then as it was.
        """
        check_is_fitted(self)
        scores, codes = self._scores_and_labels(X, y)
        if scores is None and not isinstance(threshold, Real):
            refuse_unknown(threshold)
            raise ValueError(
                f"the rule {threshold!r} needs rows to look at, got X=None. Pass rows that the "
                "detector did not train on, or a number as the threshold."
            )
        options = {"level": level, "cost_fp": cost_fp, "cost_fn": cost_fn}
        self.offset_ = as_threshold(threshold, scores, codes, **options)
        return self
