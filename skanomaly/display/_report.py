"""A report on a detector and rows, for people who decide: one HTML file that stands alone.

Owns what is asked for, and the page. What it says is in ``display._report_parts``, its pictures in
``display._report_plots``. Needs jinja2 and matplotlib: ``pip install 'skanomaly[report]'``.
"""

import datetime
import importlib.resources
import json
import platform
import sys
from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse

import skanomaly
from skanomaly.display import _report_parts as parts
from skanomaly.display._base import name_of, threshold_of
from skanomaly.utils._docs import documented
from skanomaly.utils._labels_handed_on import labels_as_read_by
from skanomaly.utils._replacing import replace
from skanomaly.utils._response import scores_of

#: Columns that get a picture.
_PICTURES = 12


class Report:
    """A finished report: a page of HTML.

    Made by `report`. Shows itself in a notebook; ``str(report)`` is the page.

    Parameters
    ----------
    html : str
        The page.
    """

    def __init__(self, html):
        self.html = html

    def __str__(self):
        return self.html

    def __repr__(self):
        return f"<Report of {len(self.html) / 1024:.0f} KiB; save(path) writes it>"

    def _repr_html_(self):
        from html import escape

        style = "width:100%;height:700px;border:1px solid #8888"
        return f'<iframe srcdoc="{escape(self.html)}" style="{style}"></iframe>'

    def save(self, path):
        """Write the page to a file; an existing one is replaced in one step.

        Parameters
        ----------
        path : str or path-like
            Where to, by custom with the ending ``.html``.

        Returns
        -------
        self : Report
            The report.
        """
        replace(path, self.html.encode())
        return self


@documented
def report(
    estimator,
    X,
    y=None,
    *,
    title="Anomaly report",
    anomaly_label="auto",
    top=10,
    identifiers=None,
    left_out=None,
    facts=None,
    scores=None,
    held_out=None,
):
    """Report on a fitted detector and rows, in one HTML file that needs nothing else.

    The page has: what was read; the distribution of the scores with the threshold, and a slider
    that says what other thresholds would do; the strangest rows with the columns that made them
    so, and the values to be expected; all columns; with labels, the ROC and the precision-recall
    curve and the confusion at the threshold; settings and versions. It opens from disk, on desktop
    and phone, light or dark, without a network.

    Parameters
    ----------
    %(shown_estimator)s
    X : array-like or DataFrame of shape (n_samples, n_features)
        Rows to report on.
    y : array-like of shape (n_samples,), default=None
        Labels in any coding, read as the estimator reads them; rows without a label are left out
        of figures that need one. Figures are optimistic for rows that the detector was fitted on
        with their labels; see `held_out`.
    title : str, default="Anomaly report"
        Title of the page.
    %(anomaly_label)s
    top : int, default=10
        How many of the strangest rows to show.
    identifiers : DataFrame of shape (n_samples, n_identifiers), default=None
        Columns that tell which row it is, shown with the strangest rows.
    left_out : dict of str to str, default=None
        Columns that the detector does not see, and why.
    facts : dict of str to object, default=None
        Whatever else the reader should know, such as the name of a file.
    scores : array-like of shape (n_samples,), default=None
        Decisions on `X`, below 0 for anomalies, where they are at hand; None asks the estimator.
    held_out : tuple of (labels, scores), default=None
        Labels (-1 for anomalies, 1 for normal rows), and decisions (below 0 for anomalies), of
        rows that were not learnt from. The figures that need labels are then of these rows.

    Returns
    -------
    report : Report
        The page, with ``save(path)``.

    Raises
    ------
    ImportError
        If jinja2 or matplotlib is not installed.
    ValueError
        If `X` is no table, or `top`, `y`, `identifiers`, `scores` or `held_out` do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import IsolationForest
    >>> from skanomaly.display import report
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> forest = IsolationForest(random_state=0).fit(X)
    >>> page = report(forest, X, title="Sensors")
    >>> page.save(getfixture("tmp_path") / "report.html")
    <Report of ... KiB; save(path) writes it>
    """
    jinja2 = _import_jinja2()
    _import_matplotlib()
    if not isinstance(top, Integral) or top < 1:
        raise ValueError(f"top must be a whole number of at least 1, got {top!r}.")
    X = X.toarray() if sparse.issparse(X) else X
    frame = parts.as_frame(X, estimator)
    if y is not None:
        y = labels_as_read_by(estimator, y, len(frame), anomaly_label)
    decisions, threshold = _decisions(estimator, X, len(frame), scores)
    if identifiers is not None:
        identifiers = pd.DataFrame(identifiers)
        if len(identifiers) != len(frame):
            raise ValueError(
                f"identifiers must have one row for each of the {len(frame)} rows of X, got "
                f"{len(identifiers)}. Pass columns of the same table."
            )
    judged = None if y is None else (y, decisions)
    if held_out is not None:
        judged = _checked_held_out(held_out)
    content = _content(estimator, X, frame, decisions, threshold, y, judged, top, identifiers)
    content["held_out"] = held_out is not None
    content |= {"title": title, "left_out": left_out or {}, "facts": facts or {}}
    template = importlib.resources.files(__package__).joinpath("report.html.j2")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["percent"] = _percent
    page = environment.from_string(template.read_text(encoding="utf-8")).render(content)
    return Report(page)


def _decisions(estimator, X, n_rows, scores):
    """Return scores that fall towards anomalies, and the threshold: 0, or None without one."""
    if scores is not None:
        scores = np.asarray(scores, dtype=np.float64)
        if scores.shape != (n_rows,) or not np.isfinite(scores).all():
            raise ValueError(
                f"scores must hold a finite number for each of the {n_rows} rows, got the shape "
                f"{scores.shape}. Pass estimator.decision_function(X), or leave scores out."
            )
        return scores, 0.0
    scores, threshold = scores_of(estimator, X), threshold_of(estimator)
    return (scores, None) if threshold is None else (scores - threshold, 0.0)


def _checked_held_out(held_out):
    labels, scores = (np.asarray(part) for part in held_out)
    if labels.shape != scores.shape or labels.ndim != 1 or not np.isin(labels, [-1, 0, 1]).all():
        raise ValueError(
            "held_out must be labels (-1 for anomalies, 1 for normal rows) and as many decisions, "
            f"got the shapes {labels.shape} and {scores.shape} and the labels "
            f"{np.unique(labels)[:5]}."
        )
    return labels, scores


def _content(estimator, X, frame, scores, threshold, labels, judged, top, identifiers):
    from skanomaly.display import _report_plots as plots

    flagged = scores < (threshold or 0.0)
    rows = np.argsort(scores, kind="stable")[:top]
    explanation = parts.explanation_of(estimator, X, rows)
    columns = parts.columns_of(frame, explanation, flagged)
    for line in columns[:_PICTURES]:
        column = frame.iloc[:, line["place"]]
        if column.notna().any():
            draw = plots.column_picture if parts.is_numeric(column) else plots.category_picture
            line["picture"] = draw(column, flagged)
    varied = np.ptp(scores) > 0
    picture, axis = plots.score_picture(scores, labels, threshold) if varied else ("", None)
    both = judged is not None and (judged[0] == -1).any() and (judged[0] == 1).any()
    positions = parts.positions(scores, judged if both else None, threshold)
    return {
        "rows": len(frame),
        "detector": name_of(estimator),
        "flagged": int(flagged.sum()),
        "threshold": threshold,
        "score_picture": picture,
        "slider": _as_json(
            {"axis": axis, "positions": positions, "rows": len(frame), "threshold": threshold}
        ),
        "steps": [positions[i] for i in np.linspace(0, len(positions) - 1, 6).astype(int)],
        "start": next((i for i, one in enumerate(positions) if one["threshold"] == threshold), 0),
        "n_positions": len(positions),
        "labelled": both,
        "strangest": parts.strangest(explanation, rows, scores, threshold, identifiers),
        "columns": columns,
        "missing": float(frame.isna().to_numpy().mean()),
        "settings": str(estimator),
        "versions": _versions(),
        "made": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
    } | (_labelled(*judged, threshold) if both else {})


def _labelled(labels, scores, threshold):
    from sklearn.metrics import average_precision_score, roc_auc_score

    from skanomaly.display import _report_plots as plots

    known = labels != 0
    truth = labels[known] == -1
    return {
        "curves": plots.curve_pictures(labels[known], scores[known], threshold),
        "confusion": parts.confusion(labels, scores < (threshold or 0.0)),
        "roc_auc": float(roc_auc_score(truth, -scores[known])),
        "average_precision": float(average_precision_score(truth, -scores[known])),
        "n_anomalies": int(truth.sum()),
        "n_known": int(known.sum()),
    }


def _as_json(data):
    """Return JSON that may stand inside a script of a page."""
    text = json.dumps(data, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _percent(share):
    return f"{share:.1%}" if share >= 0.001 or share == 0 else "<0.1%"


def _versions():
    versions = {"skanomaly": skanomaly.__version__, "Python": platform.python_version()}
    for name in ("numpy", "pandas", "sklearn", "keras", "jax", "torch", "tensorflow"):
        module = sys.modules.get(name)
        if hasattr(module, "__version__"):
            versions["scikit-learn" if name == "sklearn" else name] = module.__version__
    return versions


def _import_jinja2():
    try:
        import jinja2
    except ImportError as error:
        raise ImportError(
            "report needs jinja2. Install it with: pip install 'skanomaly[report]'"
        ) from error
    return jinja2


def _import_matplotlib():
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "report needs matplotlib. Install it with: pip install 'skanomaly[report]'"
        ) from error
