"""Settings of the documentation: ``sphinx-build -W --keep-going docs docs/_build/html``."""

import os
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
# examples run in this process, and training programs are kept for the next build
os.environ.setdefault("SKANOMALY_CACHE_DIR", str(HERE / "_build" / "programs"))

import _brand  # noqa: E402
import _gallery  # noqa: E402
import _links  # noqa: E402

import skanomaly  # noqa: E402

project = "skanomaly"
author = "The skanomaly developers"
copyright = author
version = release = skanomaly.__version__
# the one place with addresses is pyproject.toml; without them, pages link to nothing outside
_project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]
_urls = _project.get("urls", {})
html_baseurl = _urls.get("Documentation", "")
_newest = re.search(r"^## \[.*", (HERE.parent / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
unreleased = "unreleased" in _newest[0].lower()

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints", "examples", "generated/*.inc"]
# headings of included Markdown start where the page around it says
suppress_warnings = ["myst.header"]
templates_path = ["_templates"]
default_role = "py:obj"
add_module_names = False
toc_object_entries_show_parents = "hide"
nitpicky = False

autosummary_generate = True
autosummary_context = {"pictures": _gallery.PAGES}
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_attributes_as_param_list = True

doctest_global_setup = "import os; os.environ.setdefault('COLUMNS', '80')"
trim_doctest_flags = True

# copying leaves prompts and output behind
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# no network at build: the inventories are made here
intersphinx_mapping = _links.write_inventories(HERE / "generated" / "inventories")
intersphinx_disabled_reftypes = []

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"[\\/]plot_",
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("skanomaly",),
    "backreferences_dir": "generated/backreferences",
    "abort_on_example_error": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 30,
    "download_all_examples": True,
    "plot_gallery": os.environ.get("SKANOMALY_DOCS_GALLERY", "1") == "1",
    "image_srcset": ["2x"],
    "thumbnail_size": (400, 280),
    "capture_repr": ("_repr_html_", "__repr__"),
    "matplotlib_animations": False,
    "reset_modules": ("matplotlib", "_gallery_style.reset"),
}
# Matplotlib cannot show windows here, and says so
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

html_theme = "pydata_sphinx_theme"
html_title = "skanomaly"
_brand.write(HERE / "generated" / "brand")
html_logo = "generated/brand/logo.svg"
html_favicon = "generated/brand/favicon.svg"
html_static_path = ["_static", "generated/brand"]
html_css_files = ["custom.css"]
html_show_sourcelink = True
html_context = {"unreleased": unreleased, "docs_url": html_baseurl, "default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "skanomaly"},
    "navbar_align": "left",
    "navbar_end": ["version", "theme-switcher"],
    "header_links_before_dropdown": 8,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc", "sourcelink", "sg_download_links"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
if "Repository" in _urls:
    owner, repository = _urls["Repository"].rstrip("/").split("/")[-2:]
    html_context |= {"github_user": owner, "github_repo": repository}
    html_context |= {"github_version": "main", "doc_path": "docs"}
    html_theme_options["use_edit_page_button"] = True
    html_theme_options["secondary_sidebar_items"].insert(1, "edit-this-page")
html_sidebars = {"index": [], "changelog": []}


def protect_underscores(app, what, name, obj, options, lines):
    """Quote names that end in an underscore inside shapes: in reST that would be a link."""
    lines[:] = [re.sub(r"\((\w+_),\)", r"(`\1`,)", line) for line in lines]


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
    # before sphinx-gallery, whose examples have a style of their own
    app.connect("builder-inited", write_generated, priority=100)
    app.connect("missing-reference", _links.Finder())
    # before numpydoc, which connects with the default priority
    app.connect("autodoc-process-docstring", protect_underscores, priority=400)
