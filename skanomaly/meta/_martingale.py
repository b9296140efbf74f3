"""Betting against exchangeability: a test that may be looked at after every row, for ever.

Owns: p-values of new values among all values so far, the bets on them, and the wealth these earn.
Does not own: where the values come from, or what an alarm is called (``meta._drift``).
"""

import numpy as np

#: Bets on a p-value u that is uniform unless something changed; each has the mean 1.
_SHIFTS = (-0.95, -0.4, 0.4, 0.95)  # low (or high) values have become more frequent
_SPREADS = (-0.8, 0.8)  # values in the middle (or at both ends) have
_TAIL = 0.25
_N_BETS = 1 + len(_SHIFTS) + len(_SPREADS) + 1
#: Share of the wealth that is spread anew over the bets at the end of each block of rows.
_JUMP, _BLOCK = 0.016, 16
#: Rows that are computed together, and the p-value below which a bet pays no more.
_CHUNK, _SMALLEST = 512, 1e-12
#: Rows of which each is compared with each; whole blocks of them are counted.
_COMPARED = 32


class ConformalMartingale:
    """Wealth of a gambler who bets that several columns of codes are not exchangeable.

    Each new code is compared with all that came before it, those of the reference rows first;
    ties are broken at random. As long as the rows are exchangeable these p-values are independent
    and uniform, whatever the distribution [1]_, so that nobody can expect to win by betting on
    them: the wealth, which starts at 1, ever reaches ``1 / alpha`` with a probability of at most
    `alpha` (Ville's inequality [2]_). The bets are those of a Simple Jumper [3]_ with more
    shapes. Codes are small whole numbers, so memory does not grow with the rows.

    Parameters
    ----------
    counts : ndarray of shape (n_columns, n_codes), int
        How often each code occurs in the reference rows.
    seed : int
        Seed of the ties.

    Attributes
    ----------
    log_wealth : ndarray of shape (n_columns,)
        Logarithm of the present wealth.
    log_largest : ndarray of shape (n_columns,)
        Logarithm of the largest wealth so far.
    n_rows : int
        Rows since the start.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005,
       chapter 8.
    .. [2] J. Ville, "Étude critique de la notion de collectif", 1939.
    .. [3] V. Vovk, I. Petej, I. Nouretdinov, E. Ahlberg, L. Carlsson and A. Gammerman, "Retrain
       or Not Retrain: Conformal Test Martingales for Change-Point Detection", COPA 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skanomaly.meta._martingale import ConformalMartingale
    >>> martingale = ConformalMartingale(np.full((1, 10), 20), seed=0)
    >>> first = martingale.update(np.zeros((50, 1), dtype=int))
    >>> bool(martingale.log_largest[0] > np.log(100)), int(first.argmax()) < 50
    (True, True)
    """

    def __init__(self, counts, seed):
        self.counts, self.seed = np.array(counts, dtype=np.int64), seed
        self.stakes = np.full((len(self.counts), _N_BETS), 1 / _N_BETS)  # shares of the wealth
        self.log_wealth = np.zeros(len(self.counts))
        self.log_largest = np.zeros(len(self.counts))
        self.n_rows = 0

    def update(self, codes):
        """Bet on new rows, in their order.

        Parameters
        ----------
        codes : ndarray of shape (n_rows, n_columns), int
            Codes below ``counts.shape[1]``.

        Returns
        -------
        log_wealth : ndarray of shape (n_rows, n_columns)
            Logarithm of the wealth after each row.
        """
        wealth = np.zeros(codes.shape)
        if codes.shape[1] == 0:  # of what is no table, no column can be followed
            self.n_rows += len(codes)
            return wealth
        for start in range(0, len(codes), _CHUNK):
            part = slice(start, start + _CHUNK)
            wealth[part] = self._bet(_payments(self._p_values(codes[part])))
            self.n_rows += len(codes[part])
        if len(codes):
            self.log_largest = np.maximum(self.log_largest, wealth.max(axis=0))
        return wealth

    def _p_values(self, codes):
        """Return smoothed p-values of codes, each among all before it, and count them."""
        n_rows, n_columns = codes.shape
        # numbers that depend on the row's place alone, not on how rows come in batches
        stream = np.random.PCG64(self.seed).advance(self.n_rows * n_columns)
        uniform = np.random.Generator(stream).random(codes.shape)
        known = self.counts[0].sum() + np.arange(n_rows)[:, None] + 1
        smaller, equal = _earlier(codes, self.counts)
        for counts, code in zip(self.counts, codes.T, strict=True):
            counts += np.bincount(code, minlength=len(counts))
        return (smaller + uniform * (equal + 1)) / known

    def _bet(self, payments):
        """Return the wealth after each row; between blocks a part of it is spread anew."""
        _, n_rows, n_columns = payments.shape
        begun = self.n_rows % _BLOCK
        n_blocks = -(-(begun + n_rows) // _BLOCK)
        padded = np.ones((_N_BETS, n_blocks * _BLOCK, n_columns))
        padded[:, begun : begun + n_rows] = payments
        paid = padded.reshape(_N_BETS, n_blocks, _BLOCK, n_columns)
        for row in range(1, _BLOCK):
            paid[:, :, row] *= paid[:, :, row - 1]
        stakes, totals = self._stakes(paid[:, :, -1], (begun + n_rows) // _BLOCK)
        growth = sum(stakes[:, :, None] * paid)
        wealth = np.vstack([self.log_wealth, np.log(totals)]).cumsum(axis=0)
        self.log_wealth, wealth = wealth[-1], wealth[:-1]
        rows = (wealth[:, None] + np.log(growth)).reshape(-1, n_columns)
        return rows[begun : begun + n_rows]

    def _stakes(self, paid, n_full):
        """Return the stakes before each block, and by what factor it makes the wealth grow."""
        stakes, totals = np.empty_like(paid), np.empty(paid.shape[1:])
        stake = self.stakes.T
        for block in range(paid.shape[1]):
            stakes[:, block] = stake
            stake = stake * paid[:, block]
            np.add.reduce(stake, axis=0, out=totals[block])
            stake /= totals[block]
            if block < n_full:
                stake *= 1 - _JUMP
                stake += _JUMP / _N_BETS
        self.stakes = np.ascontiguousarray(stake.T)
        return stakes, totals


def _earlier(codes, counts):
    """Return how many codes before each one, counted ones first, are smaller, and as large."""
    n_rows, n_columns = codes.shape
    n_codes, n_blocks = counts.shape[1], -(-n_rows // _COMPARED)
    padded = np.zeros((n_columns, n_blocks * _COMPARED), np.int16)
    padded[:, :n_rows] = codes.T
    blocks = padded.reshape(n_columns, n_blocks, _COMPARED)
    each, others = blocks[..., None], blocks[..., None, :]
    before = np.tri(_COMPARED, k=-1, dtype=bool)
    inside = [(here & before).sum(axis=-1, dtype=np.int16).reshape(n_columns, -1).T[:n_rows]
              for here in (others < each, others == each)]  # fmt: skip
    place = (np.arange(n_columns)[:, None] * n_blocks + np.arange(n_blocks))[..., None]
    found = np.bincount((place * n_codes + blocks).ravel(), minlength=place.size * n_codes)
    found = found.reshape(n_columns, n_blocks, n_codes)[:, :-1].astype(np.float64)
    equal = np.concatenate([counts[:, None], found], axis=1)
    # sums of whole numbers by products, which are exact and quick
    equal = np.tri(n_blocks) @ equal
    smaller = equal @ np.tri(n_codes, k=-1).T
    at = np.arange(n_columns), np.arange(n_rows)[:, None] // _COMPARED, codes
    return smaller[at] + inside[0], equal[at] + inside[1]


def _payments(u):
    """Return what each bet pays for p-values: (n_bets, n_rows, n_columns)."""
    side, ends = 2 * u - 1, 2 * np.abs(2 * u - 1) - 1
    pays = [np.ones_like(u)]
    pays += [1 + slope * side for slope in _SHIFTS]
    pays += [1 + slope * ends for slope in _SPREADS]
    # a few far too low values, among many that are as before
    pays.append(1 - _TAIL + _TAIL * 0.5 / np.sqrt(np.maximum(u, _SMALLEST)))
    return np.stack(pays)
