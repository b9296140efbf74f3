"""What a notebook shows of an `Explanation`: bars with values and expected values, as HTML.

Owns the look. Does not own the numbers (``inspection._explain``).
"""

from html import escape
from numbers import Real

#: Rows and features that are shown; a line says how many there are besides.
_MAX_ROWS, _MAX_FEATURES = 5, 8
#: Blue makes a row more normal, orange more abnormal; both read on white and on black.
_COLOURS = {True: "#D55E00", False: "#0072B2"}
_CELL = "padding:0.15em 0.6em;text-align:"


def explanation_html(explanation):
    """Return a table for each row explained, the features with the largest shares first."""
    n_rows, n_features = explanation.contributions.shape
    shown = [_row_table(explanation, place) for place in range(min(n_rows, _MAX_ROWS))]
    if n_rows > _MAX_ROWS:
        shown.append(f"<p>... and {n_rows - _MAX_ROWS} rows more</p>")
    if n_features > _MAX_FEATURES:
        shown.append(f"<p>{_MAX_FEATURES} of {n_features} features; top(k) lists others</p>")
    return f'<div class="skanomaly-explanation" style="overflow-x:auto">{"".join(shown)}</div>'


def _row_table(explanation, place):
    """Return the table of one row."""
    shares = explanation.contributions.iloc[place]
    largest = shares.abs().sort_values(ascending=False, kind="stable").index[:_MAX_FEATURES]
    order = shares[largest].sort_values(ascending=False, kind="stable").index
    scale = shares.abs().max() or 1.0
    lines = "".join(
        _line(
            name,
            shares[name],
            shares[name] / scale,
            explanation.seen[name].iloc[place],
            explanation.expected[name].iloc[place],
        )
        for name in order
    )
    score, base = explanation.score.iloc[place], explanation.base.iloc[place]
    head = "".join(
        f'<th style="{_CELL}{side}">{text}</th>'
        for text, side in (
            ("feature", "left"), ("share of the score", "left"), ("", "right"),
            ("seen", "right"), ("expected", "right"),
        )
    )  # fmt: skip
    caption = f"row {escape(str(shares.name))}: anomaly score {score:.3g}, of it base {base:.3g}"
    return (
        f'<table style="border-collapse:collapse;margin:0.5em 0"><caption style="text-align:left;'
        f'caption-side:top">{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _line(name, share, part, seen, expected):
    """Return the line of one feature; `part` is its share over the largest, from -1 to 1."""
    bar = (
        f'<div style="width:{8 * abs(part):.2f}em;height:0.8em;'
        f'background:{_COLOURS[bool(share > 0)]}"></div>'
    )
    cells = (
        (escape(str(name)), "left"), (bar, "left"), (f"{share:+.3g}", "right"),
        (_value(seen), "right"), (_value(expected), "right"),
    )  # fmt: skip
    return (
        "<tr>"
        + "".join(f'<td style="{_CELL}{side}">{text}</td>' for text, side in cells)
        + "</tr>"
    )


def _value(value):
    """Return a value as short text."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"{value:.4g}"
    return escape(str(value))
