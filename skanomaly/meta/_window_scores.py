"""Scores of windows that the detector did not train on, block by block of time.

Owns which windows a fold leaves out. Does not own: the windows, or what is made of the scores.
"""

import numpy as np

from skanomaly.meta._windows import Series, all_windows, score_windows


def blocks_of(series, n_blocks):
    """Cut series into contiguous blocks, as many in all as there are series and cuts.

    One series gives `n_blocks` blocks of equal length; several series are dealt out whole where
    there are enough of them.
    """
    if len(series) >= n_blocks:
        return [series[k::n_blocks] for k in range(n_blocks)]
    folds = [[] for _ in range(n_blocks)]
    for each in series:
        edges = np.linspace(each.start, each.stop, n_blocks + 1).astype(int)
        for k in range(n_blocks):
            folds[k].append(Series(each.name, int(edges[k]), int(edges[k + 1])))
    return folds


def out_of_fold_scores(new_detector, X, starts, size, series, asked, n_blocks, view=np.asarray):
    """Return scores of windows by detectors that saw none of their time stamps.

    Parameters
    ----------
    new_detector : callable
        Returns an unfitted detector.
    X : ndarray of shape (n, n_channels)
        Time stamps, series by series.
    starts : ndarray
        Where the windows to train on start.
    size : int
        Time stamps in a window.
    series : list of Series
        Which time stamps belong together.
    asked : ndarray
        Where the windows to score start.
    n_blocks : int
        Blocks of time; a detector is trained on all windows that share no time stamp with one.
    view : callable, default=np.asarray
        Turns windows into the rows that the detector reads.

    Returns
    -------
    scores : ndarray of shape (len(asked),)
        NaN for windows that reach across the edge of a block, and for all of them where a block is
        shorter than a window, or the others lack all values of a channel.
    """
    scores = np.full(len(asked), np.nan)
    windows = all_windows(X, size)
    for fold in blocks_of(series, n_blocks):
        apart, inside = np.ones(len(starts), dtype=bool), np.zeros(len(asked), dtype=bool)
        for each in fold:
            apart &= (starts + size <= each.start) | (starts >= each.stop)
            inside |= (asked >= each.start) & (asked + size <= each.stop)
        if apart.sum() < 2 or not inside.any():
            continue
        train = view(windows[starts[apart]])
        if np.isnan(train).all(axis=0).any():
            continue
        detector = new_detector().fit(train)
        scores[inside] = score_windows(detector.score_samples, X, asked[inside], size, view)
    return scores
