"""Draws the map of the page about choosing; `_pictures` calls it."""

BLUE, GREY, WHITE = "#0072B2", "#4d4d4d", "#ffffff"
#: name: (x, y, text, kind); questions are white, answers of ours blue, of others grey.
BOXES = {
    "rows": (5.0, 9.2, "Do rows stand in time,\nso that neighbours matter?", "question"),
    "windowed": (1.4, 7.6, "WindowedDetector", "ours"),
    "labels": (5.6, 7.4, "Labels?", "question"),
    "complete": (8.6, 5.7, "NeuralAnomalyClassifier\nunknown labels as None", "ours"),
    "boost": (8.6, 4.1, "also try: CatBoost,\nrandom forest", "other"),
    "mixed": (4.4, 5.7, "Odd combinations\nof categories?", "question"),
    "plain": (1.4, 5.0, 'AutoencoderDetector\n("plain")', "ours"),
    "auto": (4.4, 4.1, "AutoencoderDetector()\nclean rows: novelty=True", "ours"),
    "clean": (2.4, 2.6, "clean rows, also try:\nnearest neighbours, LOF", "other"),
    "dirty": (5.5, 2.6, "contaminated, also try:\nIsolationForest", "other"),
    "threshold": (6.0, 0.7, "ThresholdedDetector or ConformalDetector\n"
                  "a threshold that holds for new rows", "ours"),
}  # fmt: skip
ARROWS = (
    ("rows", "windowed", "yes"), ("rows", "labels", "no"), ("labels", "complete", "some, or all"),
    ("labels", "mixed", "none"), ("complete", "boost", ""), ("mixed", "plain", "yes"),
    ("mixed", "auto", "no"), ("auto", "clean", ""), ("auto", "dirty", ""),
    ("clean", "threshold", ""), ("dirty", "threshold", ""), ("boost", "threshold", ""),
)  # fmt: skip
STYLES = {
    "question": {"facecolor": WHITE, "edgecolor": GREY, "boxstyle": "round,pad=0.45"},
    "ours": {"facecolor": BLUE, "edgecolor": BLUE, "boxstyle": "round,pad=0.45"},
    "other": {"facecolor": "#e6e6e6", "edgecolor": "#e6e6e6", "boxstyle": "round,pad=0.45"},
}


def choosing(ax):
    """Draw questions, answers and the ways between them."""
    ax.set(xlim=(0, 10), ylim=(0, 9.9))
    ax.set_axis_off()
    drawn = {}
    for name, (x, y, text, kind) in BOXES.items():
        colour = WHITE if kind == "ours" else "black"
        drawn[name] = ax.text(
            x, y, text, ha="center", va="center", fontsize=10, color=colour, zorder=3,
            bbox=STYLES[kind],
        )  # fmt: skip
    for start, end, said in ARROWS:
        (x, y), (x_end, y_end) = BOXES[start][:2], BOXES[end][:2]
        ends = {"patchA": drawn[start].get_bbox_patch(), "patchB": drawn[end].get_bbox_patch()}
        style = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2, **ends}
        ax.annotate("", xy=(x_end, y_end), xytext=(x, y), arrowprops=style, zorder=1)
        ax.text(
            (x + x_end) / 2, (y + y_end) / 2, said, fontsize=9, ha="center", va="center", zorder=2,
            bbox={"facecolor": WHITE, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


PICTURES = (("choosing", choosing, (1, 1), (8, 6.6)),)
