"""Score channels: several plain views of how unusual a row is, made comparable and combined.

Owns: Mahalanobis, marginal-tail and neighbour channels, their calibration on training scores
and their combination (`ScoreChannels`). Does not own: the network whose residuals and
latents may feed them, input scaling, thresholds.

Inputs are finite, scaled arrays; here a higher score is *more anomalous*, always float64, and
that of one row does not depend on the other rows scored with it. Weights are frequencies:
an integer weight w gives what w copies of the row give, rounding aside. Everything fitted
is an array or a number, so that objects pickle and copy without further ado.
"""

import numpy as np
import sklearn
from sklearn.neighbors import NearestNeighbors

from skanomaly._sampling import MAX_MEAN_FREQUENCY, canonical_order, repeat_rows

#: Training rows that neighbours, tails and calibration refer to at most. Mean ROC AUC / average
#: precision of the channels on rows, contaminated training: eight sets of 5,393 to 10,000 rows
#: .783/.372 with 1,024 rows, .787/.372 with 4,096, .794/.378 with 8,192, .795/.378 with all; five
#: sets of 11,183 to 40,000 rows .756/.249, .755/.243, .773/.254, .777/.255. Time is proportional.
MAX_REFERENCE = 8192
#: Below this many rows NumPy finds neighbours sooner than scikit-learn starts its threads.
_FEW_ROWS = 16
_BLOCK_ROWS = 4096
_BLOCK_CELLS = 2**20
#: Far above rounding noise (about 1e-22), far below any squared distance of a real row.
_TINY = 1e-12
_MOMENT_ROWS = 65_536
_KS = (1, 20, 50)
#: Channels that see the whole of the data, and those that see the place a row is in.
_GLOBAL, _LOCAL = ("mF", "mR", "tail", "kx20", "kx50"), ("kx1", "kz1")
_LOCAL_SHARE = 0.9


def frequencies(sample_weight, n_samples):
    """Return how often each row counts, read as `skanomaly._sampling.repeat_rows` reads weights.

    Parameters
    ----------
    sample_weight : ndarray of shape (n_samples,) or None
        Whole numbers are repetitions. Fractions, and whole numbers with a mean above
        `skanomaly._sampling.MAX_MEAN_FREQUENCY`, are relative: the positive ones get mean 1.
    n_samples : int
        Number of rows.

    Returns
    -------
    frequency : ndarray of shape (n_samples,), float64
    """
    if sample_weight is None:
        return np.ones(n_samples)
    weight = np.asarray(sample_weight, dtype=np.float64)
    mean = weight.sum() / np.count_nonzero(weight)
    whole = mean <= MAX_MEAN_FREQUENCY and np.array_equal(weight, np.rint(weight))
    return weight if whole else weight / mean


def weighted_quantile(values, q, sample_weight=None):
    """Return quantiles, interpolated linearly, of values with frequencies.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Numbers.
    q : float or sequence of float
        Probabilities in [0, 1].
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights, see `frequencies`.

    Returns
    -------
    quantiles : ndarray of the shape of `q`
        For integer weights ``numpy.quantile(numpy.repeat(values, sample_weight), q)``.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._channels import weighted_quantile
    >>> float(weighted_quantile(np.array([0.0, 1.0, 5.0]), 0.5, np.array([1, 1, 4])))
    5.0
    """
    if sample_weight is None:
        return np.quantile(values, q)
    rank = np.argsort(values)
    reached = np.cumsum(frequencies(sample_weight, len(values))[rank])
    place = np.asarray(q) * (reached[-1] - 1)
    low = np.floor(place)
    last = len(values) - 1
    a, b = (
        values[rank[np.minimum(np.searchsorted(reached, p, side="right"), last)]]
        for p in (low, low + 1)
    )
    return a + (place - low) * (b - a)


def reference_rows(order, sample_weight=None, max_rows=MAX_REFERENCE, seed=0):
    """Return the numbers of the training rows to keep for comparison, repeated by weight.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
        Canonical order of the rows (`skanomaly._sampling.canonical_order`): the sample then
        depends neither on the order of the rows nor on whether they are repeated or weighted.
    sample_weight : ndarray of shape (n_samples,), default=None
        Frequencies; a row of weight 3 takes part in the draw like three rows.
    max_rows : int, default=8192
        Draw so many without replacement where there are more.
    seed : int, default=0
        Seed of the draw.

    Returns
    -------
    rows : ndarray of shape (at most max_rows,)
        Row numbers, in canonical order.
    """
    slots = repeat_rows(order, sample_weight)
    if len(slots) <= max_rows:
        return slots
    drawn = np.random.default_rng(seed).choice(len(slots), max_rows, replace=False, shuffle=False)
    return slots[np.sort(drawn)]


class TrimmedMahalanobis:
    """Logarithm of a Mahalanobis distance, softened and trimmed if asked.

    Columns are divided by their training standard deviation; mean and covariance (Ledoit and
    Wolf 2004, plus 1e-6 of the mean variance) may be fitted again on the rows that are not
    outlying, as often as `trims` says. The score is ``log(sum_j p_j^2 / w_j^power)`` over
    eigenvectors j, with projections p and eigenvalues w.

    Parameters
    ----------
    power : float, default=0.5
        1 is the squared Mahalanobis distance, 0 the squared Euclidean one.
    trims : int, default=3
        How often to fit again on the rows with ``log q <= median + 3 s``, where q is the squared
        Mahalanobis distance and s = (median - 10% quantile) / 1.2816 comes from the side
        that anomalies do not reach; at least 60% of the rows stay. 0 uses all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._channels import TrimmedMahalanobis
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> channel = TrimmedMahalanobis().fit(X)
    >>> bool(channel.score(np.array([[9.0, 9.0]]))[0] > channel.score(X).max())
    True
    """

    def __init__(self, power=0.5, trims=3):
        self.power, self.trims = power, trims

    def fit(self, A, sample_weight=None):
        """Fit mean and covariance on rows `A` of shape (n_samples, n_features)."""
        A = _float_rows(A)
        weight = frequencies(sample_weight, len(A))
        self.spread_ = column_moments(A, weight)[1]
        A = A / self.spread_
        kept = np.ones(len(A), dtype=bool)
        self.mean_, values, vectors = ledoit_wolf_axes(A, weight)
        for _ in range(self.trims):
            before, kept = kept, self._inliers(A, weight, values, vectors)
            if np.array_equal(kept, before):
                break
            self.mean_, values, vectors = ledoit_wolf_axes(A, weight * kept)
        self.axes_ = vectors / values ** (self.power / 2)
        return self

    def _inliers(self, A, weight, values, vectors):
        log_q = _log_square_norm((A - self.mean_) @ (vectors / np.sqrt(values)))
        p10, median, floor = weighted_quantile(log_q, [0.1, 0.5, 0.6], weight)
        cut = max(median + 3 * (median - p10) / 1.2816, floor)
        # Copies of a row can differ in the last bit after a matrix product: keep all or none.
        return log_q <= cut + 1e-9

    def project(self, A):
        """Return rows in the space where this channel's distance is the Euclidean one."""
        return (_float_rows(A) / self.spread_ - self.mean_) @ self.axes_

    def score(self, A):
        """Return the log distance of rows `A` from the mean, shape (n_samples,)."""
        return _log_square_norm(self.project(A))


def ledoit_wolf_axes(A, weight):
    """Return mean, eigenvalues and eigenvectors of the Ledoit-Wolf covariance of weighted rows.

    Equals ``sklearn.covariance.LedoitWolf`` on rows repeated `weight` times (which has no
    weights), plus 1e-6 of the mean variance on the diagonal.

    Parameters
    ----------
    A : ndarray of shape (n_samples, n_features), float64
        Rows, in columns of about unit size.
    weight : ndarray of shape (n_samples,)
        Frequencies.

    Returns
    -------
    mean : ndarray of shape (n_features,)
    values : ndarray of shape (n_features,), positive
    vectors : ndarray of shape (n_features, n_features)
        One eigenvector a column.
    """
    total, p = weight.sum(), A.shape[1]
    mean = weight @ A / total
    centred = A - mean
    square = np.einsum("ij,ij->i", centred, centred)
    centred *= np.sqrt(weight)[:, None]
    covariance = centred.T @ centred / total
    variance = np.trace(covariance) / p
    norm = np.sum(covariance**2)
    # Distance to the scaled identity, and how much of it estimation noise explains.
    delta = norm / p - variance**2
    beta = (weight @ square**2 / total - norm) / (total * p)
    shrinkage = 0.0 if p == 1 or delta <= 0 else min(max(beta / delta, 0.0), 1.0)
    values, vectors = np.linalg.eigh(covariance)
    # Scaled columns have variance 1: less than this is rounding, and all directions are alike.
    ridge = 1e-6 * variance if variance > _TINY else 1.0
    values = (1 - shrinkage) * np.maximum(values, 0) + shrinkage * variance + ridge
    return mean, values, vectors


class MarginalTail:
    """Mean over the features of how far out in its own distribution a value lies.

    Per feature ``-log(min(1, 2 min(lo, hi)))``, where lo and hi are the shares of the training
    values (with one added to counts and total) at or below, and at or above it.

    Parameters
    ----------
    max_reference : int, default=8192
        Training rows kept at most, see `reference_rows`.
    seed : int, default=0
        Seed of that draw.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._channels import MarginalTail
    >>> channel = MarginalTail().fit(np.arange(9.0)[:, None])
    >>> channel.score(np.array([[4.0], [100.0]])).round(2) + 0.0
    array([0.  , 1.61])
    """

    def __init__(self, max_reference=MAX_REFERENCE, seed=0):
        self.max_reference, self.seed = max_reference, seed

    def fit(self, X, sample_weight=None, order=None):
        """Keep the sorted columns of `X` of shape (n_samples, n_features)."""
        rows = _reference(self, X, sample_weight, order)
        self.sorted_ = np.sort(_float_rows(X[rows]).T, axis=1)
        return self

    def score(self, X):
        """Return the mean tail depth of rows `X`, shape (n_samples,)."""
        X = _float_rows(X)
        n = self.sorted_.shape[1]
        rarer = np.empty_like(X)
        for j, known in enumerate(self.sorted_):
            below = known.searchsorted(X[:, j], side="right")
            above = n - known.searchsorted(X[:, j], side="left")
            np.minimum(below, above, out=rarer[:, j])
        return -np.log(np.minimum(1.0, 2 * (rarer + 1) / (n + 1))).mean(axis=1)


class NeighbourDistances:
    """Log distances to the k-th nearest training rows, for several k in one search.

    A row within ``1e-6 sqrt(n_features)`` of a training row drops that one match, so that
    training rows (which would find themselves) and new rows go through one function. Distances
    enter as ``log(distance + 0.05 m)``, with m the mean distance of training rows to
    *other* training rows. `k` is capped at the number of other training rows.

    Parameters
    ----------
    ks : tuple of int, default=(1, 20, 50)
        Which neighbours.
    max_reference : int, default=8192
        Training rows to search among at most, see `reference_rows`.
    seed : int, default=0
        Seed of that draw.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._channels import NeighbourDistances
    >>> channel = NeighbourDistances(ks=(1, 2)).fit(np.array([[0.0], [1.0], [3.0]]))
    >>> channel.distances(np.array([[0.0], [5.0]]))[0]  # the first row drops its match
    array([[1., 3.],
           [2., 4.]])
    """

    def __init__(self, ks=_KS, max_reference=MAX_REFERENCE, seed=0):
        self.ks, self.max_reference, self.seed = ks, max_reference, seed

    def fit(self, X, sample_weight=None, order=None):
        """Keep rows of `X` of shape (n_samples, n_features) for comparison."""
        self.fit_score(X, sample_weight, order)
        return self

    def fit_score(self, X, sample_weight=None, order=None):
        """Fit and return the scores of the rows kept, shape (n_reference, len(ks))."""
        self.reference_ = _float_rows(X[_reference(self, X, sample_weight, order)])
        self.square_ = np.einsum("ij,ij->i", self.reference_, self.reference_)
        self.tolerance_ = 1e-6 * np.sqrt(X.shape[1])
        distances, _ = self.distances(self.reference_)
        self.floor_ = np.maximum(0.05 * distances.mean(axis=0), self.tolerance_)
        return np.log(distances + self.floor_)

    def score(self, X, matched=None):
        """Return log distances of rows `X`, shape (n_samples, len(ks))."""
        return self.search(X, matched)[0]

    def search(self, X, matched=None):
        """Return the scores of rows `X`, and which of them dropped a match.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows.
        matched : ndarray of shape (n_samples,), bool, default=None
            Which rows drop their nearest training row; by default those that equal it.

        Returns
        -------
        scores : ndarray of shape (n_samples, len(ks))
        matched : ndarray of shape (n_samples,), bool
        """
        distances, matched = self.distances(X, matched)
        return np.log(distances + self.floor_), matched

    def distances(self, X, matched=None):
        """Return what `search` returns, with plain distances for scores."""
        most = len(self.reference_)
        k = min(max(self.ks) + 1, most)
        near = nearest_distances(self.reference_, X, k, self.square_)
        if matched is None:
            matched = near[:, 0] <= self.tolerance_
        capped = np.maximum(np.minimum(self.ks, most - 1), 1)
        columns = np.minimum(capped - 1 + matched[:, None], most - 1)
        return np.take_along_axis(near, columns, axis=1), matched


def nearest_distances(reference, X, k, square):
    """Return the distances to the k nearest reference rows, exactly, nearest first.

    Matrix products in double precision find the candidates: scikit-learn's blocked, threaded
    search, or plain NumPy for a few rows (0.1 against 0.5 to 5 ms for one). Their distances are
    then computed from differences, because the products lose the small ones: copies of a
    row must come out at 0, and no distance may depend on the other rows searched with it.

    Parameters
    ----------
    reference : ndarray of shape (n_reference, n_features), float64
        Rows to search among.
    X : ndarray of shape (n_samples, n_features)
        Rows to search for.
    k : int
        At most n_reference.
    square : ndarray of shape (n_reference,)
        Squared norms of the reference rows.

    Returns
    -------
    distances : ndarray of shape (n_samples, k)
    """
    X = _float_rows(X)
    find = _few_candidates(reference, k, square)
    if len(X) > _FEW_ROWS:
        find = _many_candidates(reference, k)
    distances = np.empty((len(X), k))
    for start in range(0, len(X), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        distances[rows] = _exact_distances(reference, X[rows], find(X[rows]))
    return np.sort(distances, axis=1)


def _few_candidates(reference, k, square):
    def find(X):
        return np.argpartition(square - 2 * (X @ reference.T), k - 1, axis=1)[:, :k]

    return find


def _many_candidates(reference, k):
    with sklearn.config_context(assume_finite=True):
        search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(reference)

    def find(X):
        with sklearn.config_context(assume_finite=True):
            return search.kneighbors(X, return_distance=False)

    return find


def _exact_distances(reference, X, candidates):
    distances = np.empty(candidates.shape)
    step = max(1, _BLOCK_CELLS // (candidates.shape[1] * reference.shape[1]))
    for start in range(0, len(X), step):
        rows = slice(start, start + step)
        difference = reference[candidates[rows]]
        difference -= X[rows, None]
        distances[rows] = np.einsum("ijk,ijk->ij", difference, difference)
    return np.sqrt(distances)


class WhitenedNeighbour:
    """Log distance to the nearest training row, with long axes of the data shortened.

    Rows are rotated to the principal axes and each axis divided by its eigenvalue^(1/4):
    half-way between the Euclidean and the Mahalanobis distance.

    Parameters
    ----------
    max_reference : int, default=8192
        Training rows to search among at most, see `reference_rows`.
    seed : int, default=0
        Seed of that draw.
    """

    def __init__(self, max_reference=MAX_REFERENCE, seed=0):
        self.max_reference, self.seed = max_reference, seed

    def fit(self, A, sample_weight=None, order=None):
        """Fit axes on all rows of `A`, (n_samples, n_features), and keep some to compare."""
        self.fit_score(A, sample_weight, order)
        return self

    def fit_score(self, A, sample_weight=None, order=None):
        """Fit and return the scores of the rows kept, shape (n_reference,)."""
        rows = _reference(self, A, sample_weight, order)
        self.shape_ = TrimmedMahalanobis(power=0.5, trims=0).fit(A, sample_weight)
        self.nearest_ = NeighbourDistances((1,), self.max_reference, self.seed)
        kept = self.shape_.project(A[rows])
        return self.nearest_.fit_score(kept, order=np.arange(len(kept)))[:, 0]

    def score(self, A, matched=None):
        """Return the log distance of rows `A`, shape (n_samples,).

        Parameters
        ----------
        A : ndarray of shape (n_samples, n_features)
            Rows.
        matched : ndarray of shape (n_samples,), bool, default=None
            Which rows drop their nearest training row. Network outputs repeat only to single
            precision, so whether a row is a training row is better told from its input.
        """
        return self.nearest_.score(self.shape_.project(A), matched)[:, 0]


class Calibration:
    """Centre and scale of a channel, from the side of its scores that anomalies do not reach.

    ``(c - median) / max(median - p10, (p90 - median) / 3, 1e-6)``: the 10% quantile stays where
    it is when anomalies join the training data, and the 90% quantile counts only where
    the lower side has next to no spread.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._channels import Calibration
    >>> float(Calibration().fit(np.arange(11.0)).apply(np.array(9.0)))
    1.0
    """

    def fit(self, scores, sample_weight=None):
        """Fit on training scores of shape (n_samples,)."""
        p10, self.centre_, p90 = map(
            float, weighted_quantile(scores, [0.1, 0.5, 0.9], sample_weight)
        )
        self.scale_ = max(self.centre_ - p10, (p90 - self.centre_) / 3, 1e-6)
        return self

    def apply(self, scores):
        """Return calibrated scores, of the shape of `scores`."""
        return (scores - self.centre_) / self.scale_


def combine_channels(channels):
    """Return the larger of a global and a local view, each a mean of calibrated channels.

    ``max(mean of mF, mR, tail, kx20, kx50, 0.9 mean of kx1, kz1)``; channels that are absent
    drop out of their mean.

    Parameters
    ----------
    channels : dict of str to ndarray of shape (n_samples,)
        Calibrated scores by name, at least one of each view.

    Returns
    -------
    score : ndarray of shape (n_samples,)

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._channels import combine_channels
    >>> combine_channels({"tail": np.array([1.0, 0.0]), "kx1": np.array([0.0, 1.0])})
    array([1. , 0.9])
    """
    whole, local = (
        np.mean([channels[name] for name in view if name in channels], axis=0)
        for view in (_GLOBAL, _LOCAL)
    )
    return np.maximum(whole, _LOCAL_SHARE * local)


class ScoreChannels:
    """Calibrated channels on rows and on network outputs, combined into one anomaly score.

    On the rows: "tail" (`MarginalTail`), "kx1", "kx20", "kx50" (`NeighbourDistances`).
    On the outputs of a network, if given: "mF" (`TrimmedMahalanobis` of [residual, latent]),
    "mR" (plain log Mahalanobis distance of the residual), both means over the members, and
    "kz1" (`WhitenedNeighbour` of the first member's [residual, latent]).

    Parameters
    ----------
    max_reference : int, default=8192
        Bound on the training rows that neighbours, tails and calibration use. See
        `MAX_REFERENCE` for what it costs.
    seed : int, default=0
        Seed of the draw of those rows.

    Notes
    -----
    Means and covariances use every row given to `fit`, in several float64 copies; for millions of
    rows, give it 65,536 rows drawn with `reference_rows` and what the network makes of them.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly._channels import ScoreChannels
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> scores = ScoreChannels().fit(X).score(np.array([[0.0, 0.0], [9.0, 9.0]]))
    >>> bool(scores[1] > 3 > scores[0])
    True
    """

    def __init__(self, max_reference=MAX_REFERENCE, seed=0):
        self.max_reference, self.seed = max_reference, seed

    def fit(self, X, residual=None, latent=None, sample_weight=None, order=None):
        """Fit channels and their calibration.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Scaled training rows.
        residual, latent : ndarray of shape (n_members, n_samples, any), default=None
            What the members of the network make of these rows; both or neither.
        sample_weight : ndarray of shape (n_samples,), default=None
            Frequencies, read as `skanomaly._sampling.repeat_rows` reads them.
        order : ndarray of shape (n_samples,), default=None
            Canonical order of the rows, computed from `X` by default.

        Returns
        -------
        self : ScoreChannels
        """
        order = canonical_order(X) if order is None else order
        if sample_weight is not None:
            # Fractions become the very counts that training on these weights uses.
            sample_weight = np.bincount(repeat_rows(order, sample_weight), minlength=len(X))
        residual, features = _members(residual, latent)
        raw = self._fit_rows(X, sample_weight, order)
        raw |= self._fit_network(residual, features, sample_weight, order)
        self.calibrations_ = {name: Calibration().fit(scores) for name, scores in raw.items()}
        return self

    def _fit_rows(self, X, sample_weight, order):
        """Fit the channels on rows; return their scores of the rows kept."""
        self.tail_ = MarginalTail(self.max_reference, self.seed)
        self.near_ = NeighbourDistances(_KS, self.max_reference, self.seed)
        kept = X[_reference(self, X, sample_weight, order)]
        tail = self.tail_.fit(X, sample_weight, order).score(kept)
        return _by_name(tail, self.near_.fit_score(X, sample_weight, order))

    def _fit_network(self, residual, features, sample_weight, order):
        """Fit the channels on network outputs; return their scores of the rows kept."""
        self.members_ = [
            (TrimmedMahalanobis().fit(a, sample_weight), plain_mahalanobis().fit(r, sample_weight))
            for a, r in zip(features, residual, strict=True)
        ]
        self.whitened_ = WhitenedNeighbour(self.max_reference, self.seed)
        if not features:
            return {}
        rows = _reference(self, features[0], sample_weight, order)
        raw = self._smooth([r[rows] for r in residual], [a[rows] for a in features])
        return raw | {"kz1": self.whitened_.fit_score(features[0], sample_weight, order)}

    def _smooth(self, residual, features):
        full = [pair[0].score(a) for pair, a in zip(self.members_, features, strict=True)]
        plain = [pair[1].score(r) for pair, r in zip(self.members_, residual, strict=True)]
        return {"mF": np.mean(full, axis=0), "mR": np.mean(plain, axis=0)}

    def channels(self, X, residual=None, latent=None):
        """Return the calibrated channels of rows, a dict of arrays of shape (n_samples,)."""
        residual, features = _members(residual, latent)
        near, matched = self.near_.search(X)
        raw = _by_name(self.tail_.score(X), near)
        if self.members_:
            raw |= self._smooth(residual, features)
            raw["kz1"] = self.whitened_.score(features[0], matched)
        return {name: self.calibrations_[name].apply(scores) for name, scores in raw.items()}

    def score(self, X, residual=None, latent=None):
        """Return how anomalous rows are, shape (n_samples,), float64.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Scaled rows.
        residual, latent : ndarray of shape (n_members, n_samples, any), default=None
            What the network makes of them, if `fit` had it.

        Returns
        -------
        score : ndarray of shape (n_samples,)
        """
        return combine_channels(self.channels(X, residual, latent))


def plain_mahalanobis():
    """Return the channel of the log squared Mahalanobis distance on all rows."""
    return TrimmedMahalanobis(power=1.0, trims=0)


def column_moments(X, weight=None):
    """Return mean and standard deviation of columns, in bounded memory.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows of any finite size: 1e300 does not overflow.
    weight : ndarray of shape (n_samples,), default=None
        Frequencies.

    Returns
    -------
    mean : ndarray of shape (n_features,)
    deviation : ndarray of shape (n_features,)
        1 for columns that are constant up to rounding.
    """
    weight = frequencies(weight, len(X))
    blocks = [slice(start, start + _MOMENT_ROWS) for start in range(0, len(X), _MOMENT_ROWS)]
    top = np.max([np.abs(X[rows]).max(axis=0) for rows in blocks], axis=0).astype(np.float64)
    top[top == 0] = 1.0

    def average(centre, power):
        parts = (weight[rows] @ (X[rows] / top - centre) ** power for rows in blocks)
        return sum(parts) / weight.sum()

    mean = average(0.0, 1)
    deviation = np.sqrt(average(mean, 2))
    varied = deviation > 1e-13  # of the largest value: less is rounding in the mean
    return mean * top, np.where(varied, deviation * top, 1.0)


def _by_name(tail, near):
    return {"tail": tail} | {f"kx{k}": near[:, i] for i, k in enumerate(_KS)}


def _members(residual, latent):
    """Return one residual and one [residual, latent] array per member."""
    if residual is None:
        return [], []
    pairs = zip(residual, latent, strict=True)
    return list(residual), [np.concatenate(pair, axis=1) for pair in pairs]


def _reference(channel, X, sample_weight=None, order=None):
    order = canonical_order(X) if order is None else order
    return reference_rows(order, sample_weight, channel.max_reference, channel.seed)


def _float_rows(X):
    return np.ascontiguousarray(X, dtype=np.float64)


def _log_square_norm(A):
    return np.log(np.einsum("ij,ij->i", A, A) + _TINY)
