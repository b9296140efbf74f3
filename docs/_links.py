"""Where names lead: inventories of other libraries made without a network, and short names.

Sphinx links a name of another library through a file that this library publishes. A build must
not depend on a network, so that these files are written here, from the libraries installed.
"""

import zlib
from pathlib import Path

from docutils import nodes
from sphinx.ext import intersphinx

import skanomaly

SITES = {
    "sklearn": "https://scikit-learn.org/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "python": "https://docs.python.org/3/",
    "keras": "https://keras.io/api/",
}
#: Names used in these pages: {library: {name: page below its site}}.
_FEW = {
    "numpy": {
        f"numpy.{name}": f"reference/{page}generated/numpy.{name}.html#numpy.{name}"
        for name, page in {
            "ndarray": "", "memmap": "", "quantile": "", "load": "",
            "random.Generator": "random/", "random.default_rng": "random/",
        }.items()
    },
    "pandas": {
        f"pandas.{name}": f"reference/api/pandas.{name}.html#pandas.{name}"
        for name in ("DataFrame", "Series", "NA", "NaT", "read_csv", "read_parquet", "to_numeric")
    },
    "python": {"pickle": "library/pickle.html", "warnings": "library/warnings.html"},
    "keras": {
        "keras.Model": "models/model/",
        "keras.Sequential": "models/sequential/",
        "keras.callbacks.EarlyStopping": "callbacks/early_stopping/",
        "keras.callbacks.ModelCheckpoint": "callbacks/model_checkpoint/",
        "keras.callbacks.ReduceLROnPlateau": "callbacks/reduce_lr_on_plateau/",
        "keras.callbacks.LearningRateScheduler": "callbacks/learning_rate_scheduler/",
    },
}  # fmt: skip


def sklearn_names():
    """Return {public name: page} of scikit-learn's estimators, functions and displays."""
    from sklearn.utils.discovery import all_displays, all_estimators, all_functions

    pages = {}
    for name, kind in (*all_estimators(), *all_functions(), *all_displays()):
        public = []
        for part in kind.__module__.split("."):
            if part.startswith("_"):
                break
            public.append(part)
        full = ".".join((*public, name))
        pages[full] = f"modules/generated/{full}.html#{full}"
    return pages


def write_inventories(folder):
    """Write a file for each library; return what `intersphinx_mapping` wants."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for library, site in SITES.items():
        path = folder / f"{library}.inv"
        names = sklearn_names() if library == "sklearn" else _FEW[library]
        lines = [f"{name} py:obj 1 {page} -" for name, page in sorted(names.items())]
        head = f"# Sphinx inventory version 2\n# Project: {library}\n# Version: \n"
        head += "# The remainder of this file is compressed using zlib.\n"
        path.write_bytes(head.encode() + zlib.compress("\n".join(lines).encode() + b"\n"))
        mapping[library] = (site, str(path))
    return mapping


def public_names():
    """Return {short name: full name} of everything public here, methods of detectors included."""
    doors = ("metrics", "model_selection", "thresholds", "display", "io", "utils")
    names = {}
    for module in (skanomaly, *(getattr(skanomaly, door) for door in doors)):
        names |= {name: f"{module.__name__}.{name}" for name in module.__all__}
    for owner in ("ConformalDetector", "AutoencoderDetector"):
        for name, kind in vars_of(getattr(skanomaly, owner)).items():
            if callable(kind) and not name.startswith("_"):
                names[name] = f"skanomaly.{owner}.{name}"
    return names


def vars_of(kind):
    """Return what a class has, what it inherits included."""
    return {name: getattr(kind, name, None) for name in dir(kind)}


class Finder:
    """Finds what a name in backticks means that Sphinx does not know; the rest is code."""

    def __init__(self):
        self._ours = public_names()
        self._theirs = {name.split(".")[-1]: name for name in sklearn_names()}

    def __call__(self, app, env, node, contnode):
        """Return a link, or the name as code that does not look like one."""
        if node.get("refdomain") != "py" or node.get("reftype") != "obj":
            return None
        name = node["reftarget"]
        if name in self._ours:
            place = app.builder, "obj", self._ours[name], node, contnode
            found = env.domains["py"].resolve_xref(env, node["refdoc"], *place)
            if found is not None:
                return found
        if name in self._theirs:
            node["reftarget"] = self._theirs[name]
            found = intersphinx.missing_reference(app, env, node, contnode)
            if found is not None:
                return found
        return nodes.literal("", contnode.astext())


if __name__ == "__main__":
    for library, (site, path) in write_inventories(Path("inventories")).items():
        print(library, site, path)
