"""DaskDetector: any outlier detector on rows that do not fit in memory.

Owns the estimator and what its detector learns from. Does not own the passes over the rows
(``distributed._summary``, ``distributed._passes``) or the answers (``distributed._answers``).
"""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, OutlierMixin, _fit_context, clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _num_samples, has_fit_parameter

from skanomaly.base import unchanged_on_failure
from skanomaly.distributed._answers import LazyAnswers
from skanomaly.distributed._collections import Partitions, is_distributed
from skanomaly.distributed._passes import Passes
from skanomaly.distributed._sample import spread, take
from skanomaly.distributed._summary import count_rows, merged, summarise
from skanomaly.utils._docs import documented
from skanomaly.utils._response import judges_neighbours, uses_labels

#: Values of a sample at most, whatever `max_rows` says: 512 MiB.
MAX_VALUES = 2**26


@documented
class DaskDetector(LazyAnswers, MetaEstimatorMixin, OutlierMixin, BaseEstimator):
    """Any outlier detector on a Dask table or array, larger than memory.

    `fit` reads the rows once, keeps at most `max_rows` of them, chosen by a hash of their content
    [1]_, and fits the detector to these where it was called. Scores, predictions and explanations
    are lazy: they are made partition by partition, by the workers, when they are asked for.

    The rows alone decide which of them are kept: not how they are cut into partitions or
    ordered, nor how many workers there are. Where there are no more than `max_rows`, none is left
    out, and the detector is the one that ``estimator.fit`` gives in memory.

    Parameters
    ----------
    estimator : estimator
        Outlier detector of scikit-learn or skanomaly, `ThresholdedDetector` and
        `ConformalDetector` around one included, or a pipeline that ends in one; a clone is
        fitted. It must judge every row by itself, which `WindowedDetector` does not.
    max_rows : int, default=100_000
        Rows to fit the detector to, at most; fewer where rows are so wide that these would hold
        more than 2**26 values.
    train_on : {"sample", "all"}, default="sample"
        What networks are trained on. "sample" suits the default recipe, which draws 38,400 rows
        in its training, whatever their number. With "all", an `AutoencoderDetector` whose budget
        is in epochs, such as ``recipe="plain"`` or one with an own `model`, is trained on passes
        over all rows, in their order and shuffled within each 65,536 of them: scales, scores and
        threshold come from the sample. Rows that are sorted should be shuffled before.

    Attributes
    ----------
    estimator_ : estimator
        The fitted detector, an ordinary one.
    n_samples_seen_ : int
        Rows read.
    n_sampled_ : int
        Rows that the detector was fitted to.
    statistics_ : DataFrame or None
        A line for each column: weight of the rows with and without a value, mean, standard
        deviation, extremes and quartiles of numbers, and the number of different values of
        others, exact up to 1024, then to about 3%. None after a fit to rows in memory.
    quantile_error_ : float
        How far off the ranks of the quartiles are at most, with a probability of 99%: 0 if no row
        was left out, 0.0052 for 100,000 rows.
    n_features_in_ : int
        Number of columns, if the detector says.
    %(inner_feature_names_in_)s

    See Also
    --------
    skanomaly.AutoencoderDetector : Has `partial_fit` for rows that come in chunks.

    Notes
    -----
    Equal rows are kept together or not at all, with the weight of all of them, and rows that make
    up more than four times their part of the sample are always kept. Rows that stand for many
    are then repeated, so that detectors need not know weights.

    With labels, a label has as many rows of the sample as its share, but at least a twentieth (or
    all that it has): rare anomalies are not lost, and are then more frequent in the sample than
    in the table. A threshold for the table's own share is found on other rows by `set_threshold`
    of ``estimator_``, or by `ThresholdedDetector` around a frozen detector.

    A first fit that finds rows that are frequent, but of small hash, reads the table twice.

    References
    ----------
    .. [1] E. Cohen and H. Kaplan, "Summarizing Data Using Bottom-k Sketches", PODC 2007.

    Examples
    --------
    >>> import numpy as np
    >>> import dask.array as da
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.distributed import DaskDetector
    >>> X = da.random.default_rng(0).normal(size=(10_000, 3), chunks=(1000, 3))
    >>> detector = DaskDetector(IsolationForest(random_state=0), max_rows=2000).fit(X)
    >>> detector.n_samples_seen_, detector.n_sampled_
    (10000, 2000)
    >>> detector.predict(X).shape  # nothing is computed yet
    (10000,)
    """

    _parameter_constraints: dict = {
        "estimator": [
            HasMethods(["fit", "score_samples"]),
            HasMethods(["fit", "decision_function"]),
        ],
        "max_rows": [Interval(Integral, 2, None, closed="left")],
        "train_on": [StrOptions({"sample", "all"})],
    }

    def __init__(self, estimator, *, max_rows=100_000, train_on="sample"):
        self.estimator = estimator
        self.max_rows = max_rows
        self.train_on = train_on

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the detector to the rows, or to a sample of them.

        Parameters
        ----------
        X : dask DataFrame or Array of shape (n_samples, n_features), or array-like
            Rows; the sizes of chunks may be unknown, and partitions may be empty. Rows in memory
            go to the detector as they are.
        y : dask Series or Array, or array-like of shape (n_samples,), default=None
            Labels, for detectors that use them. Dask collections are cut like `X`. Where nothing
            in the detector uses labels, they have no say in the sample either.
        sample_weight : dask Series or Array, or array-like of shape (n_samples,), default=None
            Frequencies: a row of weight 2 counts like two copies of it.

        %(fitted)s

        Raises
        ------
        ValueError
            If rows cannot be read or used: the message says which partition. The estimator is
            then as it was before the call.
        ImportError
            If Dask is missing.
        """
        with unchanged_on_failure(self):
            _refuse_neighbours_in_time(self.estimator)
            if self.train_on == "all" and is_distributed(X):
                _refuse_no_passes(self.estimator, X.shape[1], y, sample_weight)
            for name in ("n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
            if is_distributed(X):
                y = y if uses_labels(self.estimator) else None
                self._fit_distributed(Partitions(X, y, sample_weight), sample_weight)
            else:
                self.estimator_ = _fitted(self.estimator, X, y, sample_weight)
                self.statistics_, self.quantile_error_ = None, 0.0
                self.n_samples_seen_ = self.n_sampled_ = _num_samples(X)
            for name in ("n_features_in_", "feature_names_in_"):
                if hasattr(self.estimator_, name):
                    setattr(self, name, getattr(self.estimator_, name))
        return self

    def _fit_distributed(self, partitions, sample_weight):
        size = max(min(self.max_rows, MAX_VALUES // max(len(partitions.names), 1)), 2)
        summary = partitions.reduce(summarise, merged, size)
        _refuse_too_few(summary, type(self).__name__)
        self.n_samples_seen_ = summary.n_rows
        self.statistics_ = summary.table(partitions.names)
        self.quantile_error_ = summary.rank_error()
        if summary.n_rows <= size and (sample_weight is None or self._weighs()):
            rows = partitions.collect()
            self.estimator_, self.n_sampled_ = _fitted(self.estimator, *rows), summary.n_rows
        else:
            self._fit_sampled(partitions, summary, size)

    def _weighs(self):
        return has_fit_parameter(self.estimator, "sample_weight")

    def _fit_sampled(self, partitions, summary, size):
        candidates, counted = summary.sample.candidates(), None
        if candidates:
            counted = partitions.reduce(count_rows, merged, candidates)
        rows, labels, weight = summary.sample.final(size, counted)
        whole = summary.sample.complete(size)
        if len(rows) == 1:  # detectors want to see two at least
            rows, labels, weight = _copies(rows, labels, min(summary.n_rows, size))
        if not (whole and self.train_on == "sample" and self._weighs()):
            places = spread(weight) if np.ptp(weight) > 0 else np.arange(len(weight))
            rows, labels = take(rows, places), None if labels is None else labels[places]
            weight = None
        self.n_sampled_ = len(rows)
        if self.train_on == "all":
            self.estimator_ = clone(self.estimator)._fit_passes(rows, Passes(partitions))
        else:
            self.estimator_ = _fitted(self.estimator, rows, labels, weight)

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit to the rows and label the same ones.

        Parameters
        ----------
        %(distributed_X)s
        y : dask Series or Array, or array-like of shape (n_samples,), default=None
            Passed to `fit`.
        sample_weight : dask Series or Array, or array-like of shape (n_samples,), default=None
            Passed to `fit`.

        Returns
        -------
        labels : dask Series or Array, or ndarray of shape (n_samples,), int64
            +1 for normal rows, -1 for anomalies.
        """
        return self.fit(X, y, sample_weight).predict(X)

    @property
    def offset_(self):
        """Threshold of the detector: ``decision_function = score_samples - offset_``."""
        if "estimator_" not in vars(self):
            raise AttributeError("'DaskDetector' has no attribute 'offset_' before `fit`.")
        return self.estimator_.offset_

    @property
    def _scores_by(self):
        return vars(self).get("estimator_")

    def __sklearn_is_fitted__(self):
        return "estimator_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _copies(rows, labels, n):
    """Return one row as n rows of the same weight."""
    places = np.zeros(n, dtype=np.intp)
    return take(rows, places), None if labels is None else labels[places], np.ones(n)


def _fitted(estimator, X, y=None, sample_weight=None):
    """Return a fitted clone."""
    weight = {} if sample_weight is None else {"sample_weight": sample_weight}
    return clone(estimator).fit(X, **weight) if y is None else clone(estimator).fit(X, y, **weight)


def _refuse_no_passes(estimator, n_features, y, sample_weight):
    """Refuse detectors that cannot be trained on rows that come in blocks."""
    if not hasattr(estimator, "_fit_passes"):
        raise ValueError(
            "train_on='all' is for an AutoencoderDetector, trained in epochs; got "
            f"{type(estimator).__name__}. Use train_on='sample'."
        )
    if y is not None or sample_weight is not None:
        raise ValueError(
            "train_on='all' passes over the rows as they are, without labels and weights. Leave y "
            "and sample_weight out, or use train_on='sample'."
        )
    estimator._refuse_passes(n_features)


def _refuse_too_few(summary, name):
    n = sum(len(sample.hashes) for sample in summary.sample.samples.values())
    if n == 0:
        raise ValueError(
            f"X holds {summary.n_rows} rows, and none of a positive weight. {name} needs some to "
            "learn from."
        )


def _refuse_neighbours_in_time(estimator):
    if judges_neighbours(estimator):
        raise ValueError(
            "WindowedDetector judges rows by those before and after them, which a sample and "
            "partitions tear apart. Fit one on each series by itself, for example with "
            "groupby.apply, or pass windows as rows."
        )
