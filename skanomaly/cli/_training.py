"""Fitting a detector to the features of a table, and measuring it where there are labels."""

import sys

from skanomaly.cli._words import CommandError, count

HELD_OUT = 0.2  # the share of the labelled rows that measures the classifier


def fit_and_score(frame, labels, arguments, say):
    """Fit a detector and score the rows that it was fitted to.

    Returns
    -------
    detector : estimator
        The fitted detector.
    scores : ndarray of shape (n_rows,)
        Its decisions on all rows.
    held_out : tuple or None
        With labels: those that a first model did not see, and its decisions on them.
    """
    try:
        if labels is None:
            detector = new_detector(False, arguments)
            scores = detector.fit_score_samples(frame)
            return detector, scores - detector.offset_, None
        held_out = measure(frame, labels, arguments, say)
        say("2 of 2: training on all rows")
        detector = new_detector(True, arguments)
        scores = detector.fit_score_samples(frame, for_fit(labels))
        scores = scores - _threshold(detector, scores, arguments.contamination)
        return detector, scores, held_out
    except (ValueError, ImportError) as error:
        raise CommandError(f"training failed: {error}") from error


def measure(frame, labels, arguments, say):
    """Fit a first model without some of the labels; return those and its decisions on them."""
    train, held_out = split(labels, arguments.random_state)
    say(f"1 of 2: training without {count(len(held_out), 'held-out row')}")
    part = frame.iloc[train]
    known = frame.loc[:, part.notna().any()]  # a column may be empty in the training part alone
    model = new_detector(True, arguments)
    scores = model.fit_score_samples(known.iloc[train], for_fit(labels[train]))
    threshold = _threshold(model, scores, arguments.contamination)
    return labels[held_out], model.score_samples(known.iloc[held_out]) - threshold


def check_choices(arguments):
    """Refuse choices that mean nothing beside labels, before a file is read."""
    if arguments.label is None:
        return
    if arguments.recipe == "fast":
        raise CommandError(
            "--recipe fast is for rows without labels; with --label choose auto or plain"
        )
    if getattr(arguments, "clean", False):
        raise CommandError(
            "--clean says that all rows are normal, --label which of them are not: leave one out"
        )


def new_detector(labelled, arguments):
    """Return the detector that the arguments ask for."""
    from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

    common = {"random_state": arguments.random_state, "verbose": _verbosity(arguments)}
    if arguments.recipe != "auto":
        common["recipe"] = arguments.recipe
    if labelled:
        return NeuralAnomalyClassifier(**common)
    if getattr(arguments, "clean", False):
        common["novelty"] = True
    return AutoencoderDetector(contamination=arguments.contamination, **common)


def for_fit(labels):
    """Return labels in the coding that leaves no doubt, NaN for rows without one."""
    import numpy as np

    return None if labels is None else np.where(labels == 0, np.nan, labels)


def _verbosity(arguments):
    """Return whether training shows its progress: to whoever sits before a terminal."""
    watched = sys.stderr is not None and sys.stderr.isatty()
    return 1 if watched and not arguments.quiet else 0


def _threshold(model, scores, contamination):
    """Return the classifier's threshold, or another one where the training scores are to say."""
    if contamination == "auto":
        return model.offset_
    from skanomaly.thresholds import contamination_threshold

    return contamination_threshold(scores, contamination)


def split(labels, random_state):
    """Hold out a fifth of each class, at least one row; unlabelled rows always train."""
    import numpy as np
    from sklearn.model_selection import train_test_split

    held_out = []
    for value in (-1, 1):
        rows = np.flatnonzero(labels == value)
        _, part = train_test_split(rows, test_size=HELD_OUT, random_state=random_state)
        held_out.extend(part)
    return np.setdiff1d(np.arange(len(labels)), held_out), np.sort(held_out)
