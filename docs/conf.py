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
    "numpydoc",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
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
        "tutorials",
        "tutorial_unlabelled",
        "tutorial_labelled",
    )
}


def markdown_to_rst(text):
    """Translate the little Markdown that the changelog uses."""
    text = re.sub(r"\[([^\]]+)\]\((https?://[^)]+)\)", r"`\1 <\2>`__", text)
    text = re.sub(r"(?<!`)`([^`<\n]+)`(?![`_])", r"``\1``", text)
    text = re.sub(r"^(#+) \[?([^\]\n]+)\]?(.*)$", _heading, text, flags=re.MULTILINE)
    return text


def _heading(match):
    title = match[2] + match[3]
    return f"{title}\n{'=-~'[len(match[1]) - 1] * len(title)}"


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
    """Draw the pictures, and bring changelog and help text along, before pages are read."""
    import _pictures

    generated = HERE / "generated"
    generated.mkdir(exist_ok=True)
    changelog = (HERE.parent / "CHANGELOG.md").read_text(encoding="utf-8")
    (generated / "changelog.inc").write_text(markdown_to_rst(changelog), encoding="utf-8")
    command = [sys.executable, "-m", "skanomaly", "detect", "--help"]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        command, cwd=HERE.parent, env=environment, check=True, capture_output=True, text=True
    )
    (generated / "detect_help.txt").write_text(done.stdout, encoding="utf-8")
    _pictures.draw(generated / "pictures")


def setup(app):
    """Hook into the build."""
    app.connect("builder-inited", write_generated)
    app.connect("missing-reference", find_public_name)
    # before numpydoc, which connects with the default priority
    app.connect("autodoc-process-docstring", protect_underscores, priority=400)
