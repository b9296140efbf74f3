"""Draws logo, favicon and social card; ``python docs/_brand.py FOLDER``.

The mark is what the library does: rows that belong together, a line around them, one outside.
"""

import sys
from pathlib import Path

BLUE, ORANGE = "#0072B2", "#D55E00"
#: Where the rows are, on a square of side 64.
ROWS = ((20, 38), (27, 30), (30, 41), (22, 48), (36, 34), (34, 49), (16, 30))
STRANGER = (50, 14)


def mark(line=BLUE):
    """Return the mark as the inside of an SVG file."""
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3.4" fill="{BLUE}"/>' for x, y in ROWS)
    ring = f'<ellipse cx="26" cy="39" rx="21" ry="19" fill="none" stroke="{line}" '
    ring += 'stroke-width="3.5"/>'
    x, y = STRANGER
    diamond = f'<rect x="{x - 6}" y="{y - 6}" width="12" height="12" fill="{ORANGE}" '
    return f'{ring}{dots}{diamond}transform="rotate(45 {x} {y})"/>'


def svg(width, height, inside):
    """Return an SVG file."""
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{inside}</svg>\n'


def card(path):
    """Draw the picture that a link to these pages shows in a chat, 1200 x 630 pixels."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Ellipse

    figure = Figure(figsize=(12, 6.3), facecolor="white")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 1200), ylim=(630, 0))
    ax.set_axis_off()
    at = [(80 + 5 * x, 110 + 5 * y) for x, y in (*ROWS, STRANGER)]
    ax.add_patch(Ellipse((210, 305), 210, 190, fill=False, edgecolor=BLUE, linewidth=8))
    ax.scatter(*zip(*at[:-1], strict=True), s=560, color=BLUE)
    ax.scatter(*at[-1], s=1100, color=ORANGE, marker="D")
    ax.text(420, 280, "skanomaly", fontsize=76, weight="bold", color="#1a1a1a")
    said = "Neural anomaly detection\nas scikit-learn estimators"
    ax.text(424, 340, said, fontsize=34, color="#404040", va="top", linespacing=1.4)
    figure.savefig(path, dpi=100)


def write(folder):
    """Write the files that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("logo.svg", "favicon.svg"):
        (folder / name).write_text(svg(64, 64, mark()), encoding="utf-8")
    if not (folder / "card.png").exists():
        card(folder / "card.png")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "brand"))
