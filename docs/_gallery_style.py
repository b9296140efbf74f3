"""How the pictures of examples look: the displays' colours, on a neutral ground."""

import os

from matplotlib import cycler

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def reset(gallery_conf, fname):
    """Set the style anew before each example."""
    import matplotlib as mpl

    os.environ["COLUMNS"] = "80"
    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLOURS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.constrained_layout.use": True,
            "figure.figsize": (6.8, 3.8),
            "font.size": 11,
            "legend.frameon": False,
            "savefig.facecolor": "white",
        }
    )
