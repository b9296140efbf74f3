"""Settings of the documentation: ``sphinx-build -W --keep-going docs docs/_build/html``."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import skanomaly  # noqa: E402

project = "skanomaly"
author = "The skanomaly developers"
copyright = author
version = release = skanomaly.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
# headings of included Markdown start where the page around it says
suppress_warnings = ["myst.header"]
templates_path = ["_templates"]
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
nitpicky = False

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True

doctest_global_setup = "import os; os.environ.setdefault('COLUMNS', '80')"
trim_doctest_flags = True

# copying leaves prompts and output behind
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "skanomaly"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skanomaly"},
    "navbar_align": "left",
    "header_links_before_dropdown": 8,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# a page without pages below it has no use for the left column
html_sidebars = {
    name: []
    for name in (
        "installation",
        "getting_started",
        "evaluation",
        "command_line",
        "changelog",
        "contributing",
        "tutorials",
        "tutorial_unlabelled",
        "tutorial_labelled",
    )
}


def protect_underscores(app, what, name, obj, options, lines):
    """Quote names that end in an underscore inside shapes: in reST that would be a link."""
    lines[:] = [re.sub(r"\((\w+_),\)", r"(`\1`,)", line) for line in lines]


def find_public_name(app, env, node, contnode):
    """Link a public name such as `roc_auc` wherever it is written without its module."""
    doors = (skanomaly.metrics, skanomaly.model_selection, skanomaly.thresholds)
    for module in (skanomaly, *doors, skanomaly.display):
        if node["reftarget"] in module.__all__ and node.get("reftype") == "obj":
            target = f"{module.__name__}.{node['reftarget']}"
            place = app.builder, "obj", target, node, contnode
            return env.domains["py"].resolve_xref(env, node["refdoc"], *place)
    return None


def write_generated(app):
    """Draw pictures and map, and bring examples and help text along, before pages are read."""
    import _pictures
    import _wings

    generated = HERE / "generated"
    generated.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "skanomaly", "detect", "--help"]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        command, cwd=HERE.parent, env=environment, check=True, capture_output=True, text=True
    )
    (generated / "detect_help.txt").write_text(done.stdout, encoding="utf-8")
    (generated / "examples.inc").write_text(worked_examples(), encoding="utf-8")
    (generated / "wings.inc").write_text(_wings.as_rst(_wings.table()), encoding="utf-8")
    _wings.draw(generated / "wings.png")
    _pictures.draw(generated / "pictures")


def worked_examples():
    """Return reStructuredText that shows the detectors the tests keep as examples."""
    files = sorted((HERE.parent / "tests" / "examples").glob("*.py"))
    return "\n".join(f".. literalinclude:: ../tests/examples/{file.name}\n" for file in files)


def setup(app):
    """Hook into the build."""
    app.connect("builder-inited", write_generated)
    app.connect("missing-reference", find_public_name)
    # before numpydoc, which connects with the default priority
    app.connect("autodoc-process-docstring", protect_underscores, priority=400)
