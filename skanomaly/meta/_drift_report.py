"""What `DriftMonitor` says of a batch of rows."""

import dataclasses

import pandas as pd


@dataclasses.dataclass(frozen=True, repr=False)
class DriftReport:
    """What `DriftMonitor.update` says of a batch.

    The parameters are the attributes.

    Parameters
    ----------
    drift : bool
        Whether there was an alarm on the scores, now or in an earlier batch.
    detected_at : int or None
        Number of the row at which it was raised, counted from 1 since `fit` or `reset`.
    evidence : float
        The largest value that the wealth of the test has reached; the alarm comes at
        ``1 / alpha``, and ``1 / evidence`` is a p-value that is valid at any time.
    n_rows : int
        Rows since `fit` or `reset`.
    n_batch : int
        Rows of this batch.
    flagged : float
        The share of this batch that the detector calls anomalies.
    columns : DataFrame of shape (n_columns, 8)
        A line for each column, the one that moved most first: ``moved`` (an alarm on the
        column, now or earlier), ``evidence``, ``psi`` (population stability index of this
        batch), ``reference`` and ``batch`` (median, or most frequent category),
        ``missing_reference`` and ``missing_batch`` (shares), and ``unseen`` (share of categories
        that the reference rows did not have). Without lines where rows are no table, such as
        sparse matrices, images or texts: their scores alone are looked at.
    """

    drift: bool
    detected_at: int | None
    evidence: float
    n_rows: int
    n_batch: int
    flagged: float
    columns: pd.DataFrame

    def __repr__(self):
        moved = list(self.columns.index[self.columns["moved"]])
        said = f"drift since row {self.detected_at}" if self.drift else "no drift of the scores"
        columns = f"moved columns: {', '.join(moved)}" if moved else "no column moved"
        if self.columns.empty:
            columns = "columns not looked at"
        return f"<DriftReport of {self.n_batch} rows: {said}; {columns}>"
