"""How good a detector is: metrics of the anomaly class, and scorers for ``scoring=``.

Owns: metrics with labels in any coding, criteria without labels, and the objects that
``GridSearchCV``, ``cross_validate`` and `skanomaly.model_selection.compare_detectors` take.
Does not own: the meaning of labels (``_labels``), thresholds, pictures.

Two conventions hold everywhere. Scores are those of ``score_samples`` or ``decision_function``
of scikit-learn's outlier detectors: **higher is more normal**, so nobody has to flip a sign.
The class that is measured is the **anomaly**. Rows without a label are left out.
"""

import inspect
import warnings

import numpy as np
import pandas as pd
from sklearn import metrics as _sk
from sklearn.base import clone, is_classifier, is_outlier_detector, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.metadata_routing import MetadataRequest

from skanomaly._labels import read_labels

__all__ = [
    "anomaly_report",
    "anomaly_scorer",
    "average_precision",
    "average_precision_scorer",
    "balanced_accuracy",
    "balanced_accuracy_scorer",
    "excess_mass",
    "excess_mass_scorer",
    "f1",
    "f1_scorer",
    "mass_volume",
    "mcc",
    "mcc_scorer",
    "neg_mass_volume_scorer",
    "precision",
    "precision_at_n",
    "precision_at_n_scorer",
    "precision_scorer",
    "recall",
    "recall_scorer",
    "reconstruction",
    "reconstruction_scorer",
    "roc_auc",
    "roc_auc_scorer",
]

# ---------------------------------------------------------------- with labels, of the scores


def roc_auc(y_true, scores, *, anomaly_label="auto", sample_weight=None):
    """Area under the ROC curve: the chance that an anomaly scores below a normal row.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding; rows with a missing label are left out.
    scores : array-like of shape (n_samples,)
        ``score_samples`` or ``decision_function``: higher is more normal.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly. "auto" reads -1 of -1/1 and 1 (True) of
        0/1 as the anomaly, and takes the rarest value of any other coding, with a warning.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    value : float
        In [0, 1]: 1 is perfect, 0.5 is chance.

    Raises
    ------
    ValueError
        If lengths differ, scores are not finite, or only one class is labelled.

    Examples
    --------
    >>> from skanomaly.metrics import roc_auc
    >>> roc_auc([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1])
    1.0
    """
    labels, scores, weight = _labelled(y_true, scores, anomaly_label, sample_weight)
    return float(_sk.roc_auc_score(labels == -1, -scores, sample_weight=weight))


def average_precision(y_true, scores, *, anomaly_label="auto", sample_weight=None):
    """Average precision: the precision at each anomaly found, averaged from the top down.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding, as in `roc_auc`.
    scores : array-like of shape (n_samples,)
        Scores, higher is more normal.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    value : float
        In (0, 1]: 1 is perfect, chance is the share of anomalies.

    Raises
    ------
    ValueError
        As `roc_auc`.

    Examples
    --------
    >>> from skanomaly.metrics import average_precision
    >>> average_precision(["ok", "ok", "bad", "ok"], [4, 3, 2, 1], anomaly_label="bad")
    0.5
    """
    labels, scores, weight = _labelled(y_true, scores, anomaly_label, sample_weight)
    return float(_sk.average_precision_score(labels == -1, -scores, sample_weight=weight))


def precision_at_n(y_true, scores, *, n=None, anomaly_label="auto"):
    """Share of anomalies among the n most anomalous rows.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding, as in `roc_auc`.
    scores : array-like of shape (n_samples,)
        Scores, higher is more normal.
    n : int, default=None
        How many rows to look at. None looks at as many as there are labelled anomalies, where
        precision equals recall.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.

    Returns
    -------
    value : float
        In [0, 1]. Where scores are tied at the n-th place, the value expected if the tie
        were broken at random, so that the order of the rows does not matter.

    Raises
    ------
    ValueError
        As `roc_auc`, and if `n` is not between 1 and the number of labelled rows.

    Examples
    --------
    >>> from skanomaly.metrics import precision_at_n
    >>> precision_at_n([1, 0, 1, 0, 0], [0.1, 0.2, 0.3, 0.8, 0.9], n=2)
    0.5
    """
    labels, scores, _ = _labelled(y_true, scores, anomaly_label, None)
    n = int(np.sum(labels == -1)) if n is None else n
    if not (isinstance(n, (int, np.integer)) and 1 <= n <= len(labels)):
        raise ValueError(
            f"n must be an integer from 1 to {len(labels)}, the number of labelled rows, "
            f"got {n!r}."
        )
    last = np.partition(scores, n - 1)[n - 1]
    surely, tied = scores < last, scores == last
    from_the_tie = np.mean(labels[tied] == -1) * (n - surely.sum())
    return float((np.sum(labels[surely] == -1) + from_the_tie) / n)


# ----------------------------------------------------------- with labels, of the predictions


def f1(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """F1 of the anomaly class: the harmonic mean of its precision and recall.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding; rows with a missing label are left out.
    y_pred : array-like of shape (n_samples,)
        What ``predict`` of an outlier detector answers: -1 for an anomaly, +1 for a normal row.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    value : float
        In [0, 1]; 0 if no anomaly was found.

    Raises
    ------
    ValueError
        If lengths differ, predictions are not -1/+1, or only one class is labelled.

    Examples
    --------
    >>> from skanomaly.metrics import f1
    >>> f1([0, 0, 1, 1], [1, -1, -1, -1])
    0.8
    """
    return _of_predictions(_sk.f1_score, y_true, y_pred, anomaly_label, sample_weight)


def precision(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Precision of the anomaly class: how many of the alarms are anomalies.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding, as in `f1`.
    y_pred : array-like of shape (n_samples,)
        Predictions, -1 for an anomaly and +1 for a normal row.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    value : float
        In [0, 1]; 0 if there was no alarm.

    Raises
    ------
    ValueError
        As `f1`.

    Examples
    --------
    >>> from skanomaly.metrics import precision
    >>> precision([0, 0, 0, 1], [1, 1, -1, -1])
    0.5
    """
    return _of_predictions(_sk.precision_score, y_true, y_pred, anomaly_label, sample_weight)


def recall(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Recall of the anomaly class: how many of the anomalies were found.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding, as in `f1`.
    y_pred : array-like of shape (n_samples,)
        Predictions, -1 for an anomaly and +1 for a normal row.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    value : float
        In [0, 1].

    Raises
    ------
    ValueError
        As `f1`.

    Examples
    --------
    >>> from skanomaly.metrics import recall
    >>> recall([0, 0, 1, 1], [1, 1, 1, -1])
    0.5
    """
    return _of_predictions(_sk.recall_score, y_true, y_pred, anomaly_label, sample_weight)


def balanced_accuracy(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Mean of the shares of anomalies found and of normal rows left alone.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding, as in `f1`.
    y_pred : array-like of shape (n_samples,)
        Predictions, -1 for an anomaly and +1 for a normal row.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    value : float
        In [0, 1]: 0.5 is chance, whatever the share of anomalies.

    Raises
    ------
    ValueError
        As `f1`.

    Examples
    --------
    >>> from skanomaly.metrics import balanced_accuracy
    >>> balanced_accuracy([0, 0, 0, 0, 1], [1, 1, 1, -1, -1])
    0.875
    """
    labels, y_pred, weight = _predicted(y_true, y_pred, anomaly_label, sample_weight)
    return float(_sk.balanced_accuracy_score(labels, y_pred, sample_weight=weight))


def mcc(y_true, y_pred, *, anomaly_label="auto", sample_weight=None):
    """Correlation of labels and predictions: the Matthews correlation coefficient.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding, as in `f1`.
    y_pred : array-like of shape (n_samples,)
        Predictions, -1 for an anomaly and +1 for a normal row.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    value : float
        In [-1, 1]: 1 is perfect, 0 is chance (also if all predictions are the same).

    Raises
    ------
    ValueError
        As `f1`.

    Examples
    --------
    >>> from skanomaly.metrics import mcc
    >>> mcc([True, False, False], [-1, 1, 1])
    1.0
    """
    labels, y_pred, weight = _predicted(y_true, y_pred, anomaly_label, sample_weight)
    return float(_sk.matthews_corrcoef(labels, y_pred, sample_weight=weight))


def anomaly_report(
    y_true, y_pred, scores=None, *, anomaly_label="auto", digits=3, output_dict=False
):
    """Summarise a detector's decisions, like scikit-learn's ``classification_report``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels in any coding, as in `f1`.
    y_pred : array-like of shape (n_samples,)
        Predictions, -1 for an anomaly and +1 for a normal row.
    scores : array-like of shape (n_samples,), default=None
        ``score_samples``; adds the metrics that judge the order of the rows.
    anomaly_label : scalar, default="auto"
        The value of `y_true` that marks an anomaly, as in `roc_auc`.
    digits : int, default=3
        Decimals in the text.
    output_dict : bool, default=False
        Return the figures instead of the text.

    Returns
    -------
    report : str or dict
        For "anomaly" and "normal": precision, recall, f1-score and support. Below them
        balanced accuracy, MCC and, with `scores`, ROC AUC, average precision and precision at n;
        then the share of anomalies and how many rows have no label.

    Raises
    ------
    ValueError
        As `f1` and `roc_auc`.

    Examples
    --------
    >>> from skanomaly.metrics import anomaly_report
    >>> y, y_pred, scores = [0, 0, 0, 1, None], [1, 1, -1, -1, 1], [4, 3, 1, 2, 5]
    >>> print(anomaly_report(y, y_pred, scores))
                  precision    recall  f1-score   support
         anomaly      0.500     1.000     0.667         1
          normal      1.000     0.667     0.800         3
    <BLANKLINE>
    balanced accuracy      0.833
    MCC                    0.577
    ROC AUC                0.667
    average precision      0.500
    precision at n         0.000
    share of anomalies     0.250
    <BLANKLINE>
    rows without a label, left out: 1
    """
    labels = read_labels(y_true, anomaly_label=anomaly_label)
    y_true = np.where(labels == 0, np.nan, labels)
    known, decided, _ = _predicted(y_true, y_pred, "auto", None)
    names = {"labels": [-1, 1], "target_names": ["anomaly", "normal"], "zero_division": 0.0}
    classes = _sk.classification_report(known, decided, output_dict=True, **names)
    report = {name: classes[name] for name in ("anomaly", "normal")}
    report["balanced accuracy"] = balanced_accuracy(y_true, y_pred)
    report["MCC"] = mcc(y_true, y_pred)
    if scores is not None:
        report["ROC AUC"] = roc_auc(y_true, scores)
        report["average precision"] = average_precision(y_true, scores)
        report["precision at n"] = precision_at_n(y_true, scores)
    report["share of anomalies"] = float(np.mean(known == -1))
    report["rows without a label"] = int(np.sum(labels == 0))
    return report if output_dict else _report_text(report, digits)


def _report_text(report, digits):
    columns = ["precision", "recall", "f1-score", "support"]
    lines = [" " * 12 + "".join(f"{column:>10}" for column in columns).rstrip()]
    for name in ("anomaly", "normal"):
        figures = "".join(f"{report[name][column]:>10.{digits}f}" for column in columns[:3])
        lines.append(f"{name:>12}{figures}{report[name]['support']:>10.0f}")
    lines.append("")
    lines += [
        f"{name:<19}{value:>9.{digits}f}"
        for name, value in report.items()
        if isinstance(value, float)
    ]
    if report["rows without a label"]:
        lines += ["", f"rows without a label, left out: {report['rows without a label']}"]
    return "\n".join(lines)


# ------------------------------------------------------------------------- without labels


def excess_mass(scores, uniform_scores, *, volume=1.0, min_mass=0.9):
    """Area under the excess-mass curve: how well scores separate the data from empty space.

    The curve is ``EM(t) = max over u of P(s(X) >= u) - t * Volume(s >= u)``. A detector whose
    level sets hold much data in little volume keeps it high for long. The area is taken from
    ``t = 0`` to where the curve falls to `min_mass`. It needs no labels.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of held-out rows, higher is more normal.
    uniform_scores : array-like of shape (n_uniform,)
        Scores of points drawn uniformly from the box around these rows. Use the same points for
        all detectors that are compared.
    volume : float, default=1.0
        Volume of the box. The default measures volumes as shares of it.
    min_mass : float in (0, 1), default=0.9
        Where the curve is cut.

    Returns
    -------
    value : float
        Positive; higher is better. Only values on the same rows and box can be compared.

    Raises
    ------
    ValueError
        If scores are not finite, or `volume` or `min_mass` is out of range.

    References
    ----------
    N. Goix, "How to Evaluate the Quality of Unsupervised Anomaly Detection Algorithms?", ICML
    Anomaly Detection Workshop, 2016, arXiv:1607.01152.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import excess_mass
    >>> rows, box = np.linspace(-1, 1, 500), np.linspace(-3, 3, 3000)
    >>> bool(excess_mass(-abs(rows), -abs(box)) > excess_mass(-abs(rows - 1), -abs(box - 1)))
    True
    """
    scores, uniform = _check_pair(scores, uniform_scores, volume)
    if not 0 < min_mass < 1:
        raise ValueError(f"min_mass must be a number in (0, 1), got {min_mass!r}.")
    # Only sets that hold at least min_mass can lie on the part of the curve above it.
    shares = np.linspace(0, 1 - min_mass, 1001)
    levels = np.unique(np.quantile(scores, shares, method="lower"))
    mass = 1 - np.searchsorted(scores, levels) / len(scores)
    volumes = volume * _share_above(uniform, levels)
    t = np.linspace(0, np.max((mass - min_mass) / volumes), 501)
    return float(_sk.auc(t, np.max(mass - t[:, None] * volumes, axis=1)))


def mass_volume(scores, uniform_scores, *, volume=1.0, mass_range=(0.9, 0.999)):
    """Area under the mass-volume curve: how little space the normal rows need.

    The curve is the volume of the smallest level set that holds a given share of the data.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Scores of held-out rows, higher is more normal.
    uniform_scores : array-like of shape (n_uniform,)
        Scores of points drawn uniformly from the box around these rows.
    volume : float, default=1.0
        Volume of the box.
    mass_range : tuple of two floats in (0, 1), default=(0.9, 0.999)
        Shares of the data between which the area is taken.

    Returns
    -------
    value : float
        Not negative; **lower** is better. Only values on the same rows and box can be compared.

    Raises
    ------
    ValueError
        If scores are not finite, or `volume` or `mass_range` is out of range.

    References
    ----------
    As in `excess_mass`; S. Clémençon and J. Jakubowicz, "Scoring anomalies: a M-estimation
    formulation", AISTATS, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.metrics import mass_volume
    >>> rows, box = np.linspace(-1, 1, 500), np.linspace(-3, 3, 3000)
    >>> bool(mass_volume(-abs(rows), -abs(box)) < mass_volume(-abs(rows - 1), -abs(box - 1)))
    True
    """
    scores, uniform = _check_pair(scores, uniform_scores, volume)
    low, high = mass_range
    if not 0 < low < high < 1:
        raise ValueError(f"mass_range must be two rising numbers in (0, 1), got {mass_range!r}.")
    shares = np.linspace(low, high, 501)
    # The rounding keeps 0.9 * 10 from asking for a tenth row.
    n_inside = np.ceil(np.round(shares * len(scores), 9)).astype(int)
    return float(_sk.auc(shares, volume * _share_above(uniform, scores[-n_inside])))


def reconstruction(X, X_reconstructed):
    """Share of the variance of held-out rows that their reconstruction explains.

    Each feature counts the same, whatever its unit: the value is the mean over features of
    ``1 - squared error / variance``. Missing entries of `X` and constant features are left out.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Held-out rows.
    X_reconstructed : array-like of shape (n_samples, n_features)
        What ``reconstruct(X)`` answers.

    Returns
    -------
    value : float
        At most 1, which is perfect; 0 is no better than the mean of each feature.

    Raises
    ------
    ValueError
        If the shapes differ, or all features are constant.

    Examples
    --------
    >>> from skanomaly.metrics import reconstruction
    >>> reconstruction([[0.0], [1.0], [2.0]], [[0.0], [1.0], [2.0]])
    1.0
    """
    X = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan", input_name="X")
    back = check_array(X_reconstructed, dtype=np.float64, input_name="X_reconstructed")
    if X.shape != back.shape:
        raise ValueError(
            "X and X_reconstructed must have the same shape, got "
            f"{X.shape} and {back.shape}. Pass the rows that were given to reconstruct."
        )
    observed = ~np.isnan(X)
    n_observed = np.maximum(observed.sum(axis=0), 1)
    centred = X - np.where(observed, X, 0).sum(axis=0) / n_observed
    total = np.square(centred, where=observed, out=np.zeros_like(X)).sum(axis=0)
    error = np.square(X - back, where=observed, out=np.zeros_like(X)).sum(axis=0)
    varies = total > 0
    if not varies.any():
        raise ValueError("X must have a feature that varies, got only constant features.")
    return float(np.mean(1 - error[varies] / total[varies]))


# ---------------------------------------------------------------------------------- scorers


def anomaly_scorer(metric, *, anomaly_label="auto", **params):
    """Make an object for ``scoring=``, for any outlier detector of scikit-learn or skanomaly.

    The ready objects of this module, such as `roc_auc_scorer`, are ``anomaly_scorer(name)``.

    Parameters
    ----------
    metric : str or list of str
        "roc_auc", "average_precision", "precision_at_n" (of ``score_samples``); "f1",
        "precision", "recall", "balanced_accuracy", "mcc" (of ``predict``); "excess_mass",
        "neg_mass_volume" (without labels); "reconstruction" (without labels; needs a detector
        with ``reconstruct``). A list gives one scorer that answers a dict of all of them and
        scores the rows once.
    anomaly_label : scalar, default="auto"
        The value of y that marks an anomaly. Give it unless y is coded -1/1, 0/1 or boolean:
        which value is the rarest can differ from fold to fold.
    **params : dict
        Parameters of the metric: ``n`` of "precision_at_n", ``min_mass``, ``mass_range``. The
        two criteria without labels also take ``n_uniform`` (default 10,000: points drawn in
        the box around the rows), ``random_state`` (default 0: the same points for every
        candidate) and ``max_features`` (default None). With more than about eight features
        almost all of the box is empty and the criteria say little; with ``max_features=5``, say,
        the detector is cloned and fitted to the rows it scores on ``n_draws`` (default 10)
        random subsets of so many features, and the mean is taken (algorithm 1 of Goix, 2016).

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None, *, sample_weight=None)``, higher is better. It can be
        pickled; ``set_score_request(sample_weight=True)`` returns a copy that takes weights
        under metadata routing.

    Raises
    ------
    ValueError
        If the name of the metric is unknown.
    TypeError
        If the metric does not have one of `params`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import IsolationForest
    >>> from sklearn.model_selection import cross_val_score
    >>> from skanomaly.metrics import anomaly_scorer
    >>> X, y = load_breast_cancer(return_X_y=True)  # 0 is malignant
    >>> scorer = anomaly_scorer("roc_auc", anomaly_label=0)
    >>> bool(cross_val_score(IsolationForest(random_state=0), X, y, scoring=scorer).mean() > 0.7)
    True
    """
    if not isinstance(metric, str):
        return _ManyScorers([anomaly_scorer(m, anomaly_label=anomaly_label) for m in metric])
    if metric in _LABELLED:
        return _LabelScorer(metric, anomaly_label, _check_params(_LABELLED[metric][0], params))
    if metric in _LABEL_FREE:
        function = _LABEL_FREE[metric][0]
        own = {name: params.pop(name) for name in _UNIFORM_DEFAULTS if name in params}
        _check_counts(own)
        return _UniformScorer(metric, {**_check_params(function, params), **own})
    if metric == "reconstruction":
        return _ReconstructionScorer(metric, anomaly_label, _check_params(reconstruction, params))
    raise ValueError(
        f"metric must be one of {[*_LABELLED, *_LABEL_FREE, 'reconstruction']}, got {metric!r}."
    )


class _Scorer:
    """What scikit-learn expects of a scorer; subclasses answer one figure in ``_score``."""

    takes_weight = False

    def __init__(self, metric, anomaly_label, params):
        self.metric, self.anomaly_label, self.params = metric, anomaly_label, params
        self.weight_request = None

    def __call__(self, estimator, X, y=None, *, sample_weight=None):
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._score(_Responses(estimator, X), y, **weight)

    def __repr__(self):
        shown = "".join(f", {name}={value!r}" for name, value in self.params.items())
        if self.anomaly_label != "auto":
            shown = f", anomaly_label={self.anomaly_label!r}" + shown
        return f"anomaly_scorer({self.metric!r}{shown})"

    def _accept_sample_weight(self):  # scikit-learn asks when several scorers share weights
        return self.takes_weight

    def set_score_request(self, *, sample_weight):
        if not self.takes_weight:
            raise TypeError(f"the metric {self.metric!r} takes no sample_weight.")
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__, weight_request=sample_weight)
        return copy

    def get_metadata_routing(self):
        request = MetadataRequest(owner=repr(self))
        if self.takes_weight:
            request.score.add_request(param="sample_weight", alias=self.weight_request)
        return request


class _LabelScorer(_Scorer):
    def __init__(self, metric, anomaly_label, params):
        super().__init__(metric, anomaly_label, params)
        self.takes_weight = "sample_weight" in _parameters(_LABELLED[metric][0])

    def _score(self, responses, y, **weight):
        if y is None:
            raise ValueError(
                f"the metric {self.metric!r} needs labels, got y=None. Pass y, or use a metric "
                f"without labels: {list(_LABEL_FREE)}."
            )
        function, response = _LABELLED[self.metric]
        answer = getattr(responses, response)()
        return function(y, answer, anomaly_label=self.anomaly_label, **self.params, **weight)


class _UniformScorer(_Scorer):
    def __init__(self, metric, params):
        super().__init__(metric, "auto", params)

    def _score(self, responses, y):
        params = {**_UNIFORM_DEFAULTS, **self.params}
        n_uniform, max_features, n_draws, seed = (params.pop(name) for name in _UNIFORM_DEFAULTS)
        rng, X = np.random.default_rng(seed), responses.X
        if max_features is None or max_features >= np.shape(X)[1]:
            return self._criterion(responses, n_uniform, rng, params)
        draws = []
        for _ in range(n_draws):
            columns = np.sort(rng.choice(np.shape(X)[1], max_features, replace=False))
            part = X.iloc[:, columns] if hasattr(X, "iloc") else np.asarray(X)[:, columns]
            fitted = _Responses(clone(responses.estimator).fit(part), part)
            draws.append(self._criterion(fitted, n_uniform, rng, params))
        return float(np.mean(draws))

    def _criterion(self, responses, n_uniform, rng, params):
        function, sign = _LABEL_FREE[self.metric]
        box = _uniform_like(responses.X, n_uniform, rng)
        scores, uniform = responses.scores(), _scores_of(responses.estimator, box)
        if np.max(uniform) < np.quantile(scores, 0.1):
            warnings.warn(
                f"none of the {n_uniform} points drawn around the rows lies in the region that "
                f"holds 90% of them: its volume cannot be measured, and {self.metric!r} hardly "
                "tells good detectors from bad ones. Pass max_features=5 to anomaly_scorer, or "
                "a larger n_uniform.",
                UserWarning,
                stacklevel=2,
            )
        return sign * function(scores, uniform, **params)


class _ReconstructionScorer(_Scorer):
    def _score(self, responses, y):
        estimator, X = responses.estimator, responses.X
        while hasattr(estimator, "best_estimator_") or isinstance(estimator, Pipeline):
            if isinstance(estimator, Pipeline):
                X = estimator[:-1].transform(X) if len(estimator) > 1 else X
                estimator = estimator[-1]
            else:
                estimator = estimator.best_estimator_
        if not hasattr(estimator, "reconstruct"):
            raise TypeError(
                "the metric 'reconstruction' needs a detector with the method reconstruct, got "
                f"{type(estimator).__name__}. Use AutoencoderDetector, or 'excess_mass'."
            )
        X, back = np.asarray(X), np.asarray(estimator.reconstruct(X))
        if y is not None:  # a good detector reconstructs everything but the anomalies
            kept = read_labels(y, anomaly_label=self.anomaly_label, n_samples=len(X)) != -1
            X, back = X[kept], back[kept]
        return reconstruction(X, back)


class _ManyScorers(_Scorer):
    def __init__(self, scorers):
        super().__init__([scorer.metric for scorer in scorers], "auto", {})
        self.scorers = scorers
        self.takes_weight = any(scorer.takes_weight for scorer in scorers)

    def __repr__(self):
        return f"anomaly_scorer({self.metric!r})"

    def _score(self, responses, y, **weight):
        return {
            scorer.metric: scorer._score(responses, y, **(weight if scorer.takes_weight else {}))
            for scorer in self.scorers
        }


class _Responses:
    """What one estimator says about the rows, asked once however many metrics want it."""

    def __init__(self, estimator, X):
        self.estimator, self.X, self.known = estimator, X, {}

    def scores(self):
        return self._once("scores", _scores_of)

    def predictions(self):
        return self._once("predictions", _predictions_of)

    def _once(self, name, function):
        if name not in self.known:
            self.known[name] = function(self.estimator, self.X)
        return self.known[name]


def _scores_of(estimator, X):
    _refuse_other_kinds(estimator)
    if hasattr(estimator, "score_samples"):
        return np.asarray(estimator.score_samples(X))
    # Other libraries' decision_function may grow with abnormality: only a declared outlier
    # detector of scikit-learn's kind is trusted.
    if _is(is_outlier_detector, estimator) and hasattr(estimator, "decision_function"):
        return np.asarray(estimator.decision_function(X))
    raise TypeError(
        f"{type(estimator).__name__} has no score_samples for new rows, so its ranking cannot "
        "be judged. Pass an outlier detector; LocalOutlierFactor needs novelty=True."
    )


def _predictions_of(estimator, X):
    _refuse_other_kinds(estimator)
    if not hasattr(estimator, "predict"):
        raise TypeError(
            f"{type(estimator).__name__} has no predict for new rows. Pass an outlier detector; "
            "LocalOutlierFactor needs novelty=True."
        )
    return np.asarray(estimator.predict(X))


def _is(kind, estimator):
    return hasattr(estimator, "__sklearn_tags__") and kind(estimator)


def _refuse_other_kinds(estimator):
    if _is(is_classifier, estimator) or _is(is_regressor, estimator):
        raise TypeError(
            f"{type(estimator).__name__} is a classifier or regressor: which way its scores "
            "point depends on its classes. Use scikit-learn's own scorers for it."
        )


def _uniform_like(X, n_uniform, rng):
    """Draw points from the box around X, in the container X came in."""
    rows = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan", input_name="X")
    low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    box = rng.uniform(low, high, size=(n_uniform, rows.shape[1]))
    return pd.DataFrame(box, columns=X.columns) if isinstance(X, pd.DataFrame) else box


def _share_above(uniform, levels):
    """Estimate the volumes of level sets; never 0, as no finite sample can show that."""
    n_above = len(uniform) - np.searchsorted(uniform, levels)
    return (n_above + 1) / (len(uniform) + 1)


def _of_predictions(function, y_true, y_pred, anomaly_label, sample_weight):
    labels, y_pred, weight = _predicted(y_true, y_pred, anomaly_label, sample_weight)
    options = {"pos_label": -1, "zero_division": 0.0, "sample_weight": weight}
    return float(function(labels, y_pred, **options))


def _labelled(y_true, scores, anomaly_label, sample_weight):
    scores = _check_column(scores, "scores")
    return _known_rows(y_true, scores, anomaly_label, sample_weight)


def _predicted(y_true, y_pred, anomaly_label, sample_weight):
    y_pred = _check_column(y_pred, "y_pred")
    if not np.isin(y_pred, (-1, 1)).all():
        raise ValueError(
            "y_pred must hold -1 (anomaly) and +1 (normal) as predict of an outlier detector "
            f"answers, got the values {np.unique(y_pred)[:6]}. Pass scores only to metrics of "
            "scores, and recode predictions in other codings."
        )
    return _known_rows(y_true, y_pred, anomaly_label, sample_weight)


def _known_rows(y_true, answer, anomaly_label, sample_weight):
    """Read the labels and drop the rows that have none."""
    labels = read_labels(y_true, anomaly_label=anomaly_label)
    weight = None if sample_weight is None else _check_column(sample_weight, "sample_weight")
    for values in (answer,) if weight is None else (answer, weight):
        if len(values) != len(labels):
            raise ValueError(
                "y_true, the detector's answers and sample_weight must have the same length, "
                f"got {len(labels)} labels and {len(values)} values."
            )
    n_anomalies, n_normal = np.sum(labels == -1), np.sum(labels == 1)
    if n_anomalies == 0 or n_normal == 0:
        raise ValueError(
            "y_true must hold at least one anomaly and one normal row, got "
            f"{n_anomalies} anomalies and {n_normal} normal rows. In cross-validation use "
            "skanomaly.model_selection.StratifiedAnomalyKFold; if the coding of y was not "
            "understood, pass anomaly_label."
        )
    known = labels != 0
    return labels[known], answer[known], None if weight is None else weight[known]


def _check_column(values, name):
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(
            f"{name} must be finite numbers of shape (n_samples,), got shape {values.shape} "
            f"with {np.sum(~np.isfinite(values))} values that are NaN or infinite."
        )
    return values


def _check_pair(scores, uniform_scores, volume):
    scores, uniform = (
        _check_column(scores, "scores"),
        _check_column(uniform_scores, "uniform_scores"),
    )
    if len(scores) == 0 or len(uniform) == 0:
        raise ValueError("scores and uniform_scores must not be empty.")
    if not (np.isfinite(volume) and volume > 0):
        raise ValueError(f"volume must be a positive finite number, got {volume!r}.")
    return np.sort(scores), np.sort(uniform)


def _parameters(function):
    return inspect.signature(function).parameters


def _check_counts(params):
    for name in ("n_uniform", "max_features", "n_draws"):
        value = params.get(name)
        if value is not None and not (isinstance(value, (int, np.integer)) and value >= 1):
            raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")


def _check_params(function, params):
    own = [n for n, p in _parameters(function).items() if p.kind is p.KEYWORD_ONLY]
    own = [name for name in own if name not in ("anomaly_label", "sample_weight", "volume")]
    unknown = sorted(set(params) - set(own))
    if unknown:
        raise TypeError(f"{function.__name__} has no parameter {unknown}; it has {own}.")
    return params


_LABELLED = {
    "roc_auc": (roc_auc, "scores"),
    "average_precision": (average_precision, "scores"),
    "precision_at_n": (precision_at_n, "scores"),
    "f1": (f1, "predictions"),
    "precision": (precision, "predictions"),
    "recall": (recall, "predictions"),
    "balanced_accuracy": (balanced_accuracy, "predictions"),
    "mcc": (mcc, "predictions"),
}
_LABEL_FREE = {"excess_mass": (excess_mass, 1), "neg_mass_volume": (mass_volume, -1)}
_UNIFORM_DEFAULTS = {"n_uniform": 10_000, "max_features": None, "n_draws": 10, "random_state": 0}

roc_auc_scorer = anomaly_scorer("roc_auc")
average_precision_scorer = anomaly_scorer("average_precision")
precision_at_n_scorer = anomaly_scorer("precision_at_n")
f1_scorer = anomaly_scorer("f1")
precision_scorer = anomaly_scorer("precision")
recall_scorer = anomaly_scorer("recall")
balanced_accuracy_scorer = anomaly_scorer("balanced_accuracy")
mcc_scorer = anomaly_scorer("mcc")
excess_mass_scorer = anomaly_scorer("excess_mass")
neg_mass_volume_scorer = anomaly_scorer("neg_mass_volume")
reconstruction_scorer = anomaly_scorer("reconstruction")
