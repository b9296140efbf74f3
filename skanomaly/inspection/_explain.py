"""Explanations: which features made a row's anomaly score what it is.

Owns: `explain`, what it returns, and the ways to share out a score. Does not own the sampling
of Shapley values (``inspection._shapley``) or pictures (``display._contributions``).
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skanomaly.inspection._html import explanation_html
from skanomaly.inspection._rows import as_rows, in_common, of_same_kind
from skanomaly.inspection._shapley import ComparedRows, shap_values, shapley_values
from skanomaly.inspection._surprises import surprises_of
from skanomaly.utils._background import background_rows
from skanomaly.utils._categories import fitted_categories
from skanomaly.utils._random import random_generator
from skanomaly.utils._response import scores_of


@dataclass(frozen=True, repr=False)
class Explanation:
    """What `explain` returns: each feature's share in the anomaly score of rows.

    ``contributions.sum(axis=1) + base`` is ``score``, for every row. The parameters are the
    attributes.

    Parameters
    ----------
    contributions : DataFrame of shape (n_samples, n_features)
        Shares of the anomaly score. Positive: the value makes the row more abnormal.
    seen : DataFrame of shape (n_samples, n_features)
        The values of the rows.
    expected : DataFrame of shape (n_samples, n_features)
        The values to be expected, in the units of the data. Of numbers: the network's
        reconstruction where the detector has one; otherwise the mean of the normal rows that
        the row was compared with. Of categories, numbers and bools that the detector reads as
        such among them: the most similar normal row's value, missing where the detector keeps
        no rows and `background` was not given.
    score : Series of shape (n_samples,)
        Anomaly score, minus ``score_samples``.
    base : Series of shape (n_samples,)
        The part of the score that is no feature's: the mean anomaly score of the normal rows
        that the row was compared with; zero with ``method="reconstruction"``, what other parts
        of the detector say with ``method="surprise"``.
    likely : DataFrame of shape (n_samples, n_features) or None, default=None
        With ``method="surprise"``, what was to be expected in words: where nine tenths of the
        numbers lie ("3.1 to 4.7"), and the chances of categories ("red 80%, blue 15%").

    See Also
    --------
    explain : Makes it, with an example.
    """

    contributions: pd.DataFrame
    seen: pd.DataFrame
    expected: pd.DataFrame
    score: pd.Series
    base: pd.Series
    likely: pd.DataFrame | None = None

    def take(self, rows):
        """Return the explanation of some of the rows.

        Parameters
        ----------
        rows : int or array-like of int
            Their places.

        Returns
        -------
        explanation : Explanation
            Theirs alone.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        rows, n_rows = np.atleast_1d(rows), len(self.contributions)
        if rows.dtype.kind != "b" and len(rows) and not -n_rows <= min(rows) <= max(rows) < n_rows:
            raise IndexError(
                f"rows must be places among the {n_rows} rows explained, got {rows.tolist()}."
            )
        parts = {name: part for name, part in vars(self).items() if part is not None}
        return Explanation(**{name: part.iloc[rows] for name, part in parts.items()})

    def __repr__(self):
        n_rows, n_features = self.contributions.shape
        return f"<Explanation of {n_rows} rows by {n_features} features>"

    def _repr_html_(self):
        return explanation_html(self)

    def top(self, k=3):
        """List the features with the largest contributions.

        Parameters
        ----------
        k : int, default=3
            Features per row; all of them where there are fewer.

        Returns
        -------
        table : DataFrame
            A line for each row and feature, the largest contribution of a row first, with
            the columns ``row`` (its index in `X`), ``feature``, ``contribution``, ``seen``,
            ``expected`` and, where there is one, ``likely``.

        Raises
        ------
        ValueError
            If `k` is not a whole number of at least 1.
        """
        if not isinstance(k, Integral) or k < 1:
            raise ValueError(f"k must be a whole number of at least 1, got {k!r}.")
        values = self.contributions.to_numpy()
        first = np.argsort(-values, axis=1, kind="stable")[:, :k]
        rows = np.repeat(np.arange(len(values)), first.shape[1])
        at = rows, first.ravel()
        table = {
            "row": self.contributions.index.take(rows),
            "feature": self.contributions.columns.take(first.ravel()),
            "contribution": values[at],
            "seen": _entries(self.seen, *at),
            "expected": _entries(self.expected, *at),
        }
        if self.likely is not None:
            table["likely"] = _entries(self.likely, *at)
        return pd.DataFrame(table)


@validate_params(
    {
        "method": [StrOptions({"shapley", "surprise", "reconstruction", "shap"})],
        "n_references": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
@np.errstate(over="ignore", invalid="ignore")
def explain(
    detector,
    X,
    *,
    method="shapley",
    background=None,
    n_references=8,
    max_features=64,
    random_state=0,
):
    """Share out the anomaly scores of rows over their features.

    Parameters
    ----------
    detector : estimator
        Fitted outlier detector of skanomaly, of scikit-learn, or a pipeline with one at its
        end. It is asked for scores alone.
    X : array-like of shape (n_samples, n_features)
        Rows to explain.
    method : {"shapley", "surprise", "reconstruction", "shap"}, default="shapley"
        - "shapley": each row is compared with normal rows that agree with it in most
          features. What the score does when their values change over into the row's, one by
          one and in random orders, is the features' share [1]_ [2]_. For any detector.
        - "surprise": how surprising each value is, given the others of its row, as the
          masked-bin networks of the default `AutoencoderDetector` have it; what that adds to the
          score. Other parts of the score are in ``base``. Exact, some milliseconds a row, and
          with the distribution expected (``likely``) beside the value seen.
        - "reconstruction": the squared errors of the features, over their number. For an
          `AutoencoderDetector` whose score is the mean squared error. It asks for no more
          scores; but a wrong value spoils the reconstruction of the other ones, and then the
          wrong features are named, see the user guide.
        - "shap": Shapley values against random normal rows, by the ``shap`` package [3]_.
          Numeric columns alone.
    background : array-like of shape (n_background, n_features), default=None
        Rows to compare with, such as the training rows; those that the detector calls
        anomalies are left out. Detectors of skanomaly keep up to 512 of their training rows
        for this; all others need it.
    n_references : int, default=8
        Background rows that each row is compared with. Time is proportional to it.
    max_features : int, default=64
        Features that change over one by one, those furthest from what is normal. In wider
        data the others change over together, and what they do to the score is shared out in
        proportion to their squared deviations ("shapley" alone).
    random_state : int, RandomState instance or None, default=0
        Seed of the orders. With a number, a row's explanation does not depend on the other
        rows in `X`.

    Returns
    -------
    explanation : Explanation
        Contributions that add up to each row's score, with the values seen and expected.

    Raises
    ------
    ValueError
        If `background` is needed and missing, if `X` or `background` do not fit the detector,
        or if `method` does not suit it.
    TypeError
        If `detector` is no outlier detector that can score new rows.
    ImportError
        If `method` is "shap" and the package is not installed.
    sklearn.exceptions.NotFittedError
        If `detector` is not fitted.

    Notes
    -----
    "shapley" scores up to ``2 n_references (min(n_features, max_features) + 1)`` mixtures for
    each row, in calls of at most 16,384 rows. Values equal to the normal row's have no share
    and cost nothing.

    References
    ----------
    .. [1] J. Castro, D. Gómez and J. Tejada, "Polynomial Calculation of the Shapley Value Based
       on Sampling", Computers & Operations Research 36, 2009.
    .. [2] R. Mitchell, J. Cooper, E. Frank and G. Holmes, "Sampling Permutations for Shapley
       Value Estimation", JMLR 23, 2022.
    .. [3] S. M. Lundberg and S.-I. Lee, "A Unified Approach to Interpreting Model Predictions",
       NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly import explain
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> detector = IsolationForest(random_state=0).fit(X)
    >>> strange = [[0.0, 9.0, 0.0, 0.0]]
    >>> explanation = explain(detector, strange, background=X)
    >>> explanation.top(1)[["row", "feature", "seen"]]
       row feature  seen
    0    0      x1   9.0
    """
    own = getattr(_inner(detector), "_explain_rows", None)
    if own is not None:
        return _explained_by_itself(detector, X, *own(X))
    score = -scores_of(detector, X)
    X = as_rows(X)
    if method == "reconstruction":
        return _by_errors(detector, X, score, background)
    if method == "surprise":
        return _by_surprises(detector, X, score, background)
    background = _normal_rows(detector, X, background)
    table = ComparedRows(X, background, fitted_categories(detector, X.shape[1]))

    def anomaly_score(rows):
        return -scores_of(detector, rows, known=True)

    if method == "shap":
        values, base = shap_values(anomaly_score, table.X, table.background, random_state)
        references = _most_alike(table, len(background))
    else:
        values, base, references = shapley_values(
            anomaly_score,
            table,
            n_references=n_references,
            max_features=max_features,
            seed=random_generator(random_state),
        )
    expected = in_common(table.background, references, table.is_categorical)
    expected = _with_reconstruction(detector, X, expected, table.is_categorical)
    return _tables(detector, X, values, score, base, expected)


def _normal_rows(detector, X, background):
    """Return background rows, checked, as a table of the same kind as `X`."""
    if background is None:
        rows = getattr(_inner(detector), "_background", None)
        if rows is None:
            raise ValueError(
                f"explain needs normal rows to compare with, and {type(detector).__name__} keeps "
                "none; what comes from a file does only if it was saved with keep_rows=True. Pass "
                "background=X_train, the rows it was fitted on."
            )
        return of_same_kind(rows, X)
    rows = _given_rows(X, background)
    scores = scores_of(detector, rows)  # more rows say more about its convention
    normal = detector.predict(rows) == 1 if hasattr(detector, "predict") else scores == scores
    return background_rows(rows, np.where(normal, scores, -np.inf), np.finfo(float).min)


def _given_rows(X, background):
    """Return the user's background rows, checked, as a table of the same kind as `X`."""
    rows = as_rows(background)
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != X.shape[1]:
        raise ValueError(
            f"background must hold rows of {X.shape[1]} features like X, got the shape "
            f"{rows.shape}. Pass the rows that the detector was fitted on."
        )
    return of_same_kind(rows, X)


def _inner(detector):
    """Return the detector inside a search or a `ThresholdedDetector`, which scores for it."""
    while True:
        inner = vars(detector).get("best_estimator_", getattr(detector, "_scores_by", None))
        if inner is None:
            return detector
        detector = inner


def _explained_by_itself(detector, X, values, expected, score, base):
    """Put tables around what a detector of series says of its time stamps."""
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(as_rows(X))
    given = getattr(detector, "feature_names_in_", None)
    names = [f"x{j}" for j in range(values.shape[1])] if given is None else list(given)
    seen = (table[names] if given is not None else table).set_axis(names, axis=1)
    index = table.index
    return Explanation(
        contributions=pd.DataFrame(values, index, names),
        seen=seen,
        expected=pd.DataFrame(expected, index, names),
        score=pd.Series(score, index, name="score"),
        base=pd.Series(base, index, name="base"),
    )


def _by_errors(detector, X, score, background):
    inner = _inner(detector)
    parts = inner._error_parts(X) if hasattr(inner, "_error_parts") else None
    if parts is None:
        raise ValueError(
            'method="reconstruction" needs an AutoencoderDetector whose score is the mean squared '
            'error, anomaly_score="reconstruction" (the default of recipe="plain"), got '
            f'{type(detector).__name__}. Use method="shapley", which suits any detector.'
        )
    named, mask = _named_rows(inner, X, background), fitted_categories(inner, X.shape[1])
    expected = pd.DataFrame(np.full(X.shape, np.nan))
    if named is not None and mask.any():
        table = ComparedRows(X, named, mask)
        expected = in_common(table.background, _most_alike(table, 1), mask)
    expected = _with_reconstruction(detector, X, expected, mask)
    return _tables(detector, X, parts, score, np.zeros(len(score)), expected)


def _named_rows(inner, X, background):
    """Return rows that hold the values of categories, given or kept; None where there are none."""
    if background is not None:
        return _given_rows(X, background)
    kept = getattr(inner, "_background", None)
    return None if kept is None else of_same_kind(kept, X)


def _by_surprises(detector, X, score, background):
    inner = _inner(detector)
    found = surprises_of(inner, X, _named_rows(inner, X, background))
    if found is None:
        raise ValueError(
            'method="surprise" needs an AutoencoderDetector with networks that tell columns from '
            "each other: its default recipe, on rows whose columns mean something alone; got "
            f'{type(detector).__name__}. Use method="shapley", which suits any detector.'
        )
    shares, expected, likely = found
    base = score - shares.sum(axis=1)
    return _tables(detector, X, shares, score, base, expected, likely)


def _most_alike(table, n_rows):
    """Return the numbers of the background rows most alike to each row, best first."""
    return np.stack([table.nearest(row, n_rows) for row in range(len(table.X))])


def _with_reconstruction(detector, X, expected, is_categorical):
    """Return expected values, of numbers what a network makes of the rows if there is one."""
    if not hasattr(_inner(detector), "reconstruct"):
        return expected
    made = pd.DataFrame(_inner(detector).reconstruct(X))
    # of categories it answers the probability of the row's own value
    return pd.DataFrame({j: expected[j] if is_categorical[j] else made[j] for j in made})


def _tables(detector, X, values, score, base, expected, likely=None):
    index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(X))
    columns = _names(detector, X)
    seen = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X, index, columns)

    def labelled(table):
        return table.set_axis(columns, axis=1).set_axis(index, axis=0)

    return Explanation(
        contributions=pd.DataFrame(values, index, columns),
        seen=seen,
        expected=labelled(expected),
        score=pd.Series(score, index, name="score"),
        base=pd.Series(base, index, name="base"),
        likely=None if likely is None else labelled(likely),
    )


def _names(detector, X):
    if isinstance(X, pd.DataFrame):
        return X.columns
    given = getattr(detector, "feature_names_in_", None)
    return pd.Index([f"x{j}" for j in range(X.shape[1])] if given is None else given)


def _entries(frame, rows, columns):
    """Return single entries of a table: numbers where all of them are."""
    values = [frame.iat[i, j] for i, j in zip(rows, columns, strict=True)]
    return pd.Series(values)
