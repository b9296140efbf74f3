"""The README runs as it stands, and the documentation names every public object."""

import ast
import contextlib
import doctest
import io
import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV

import skanomaly
from skanomaly import display, distributed, metrics, model_selection, thresholds, utils
from skanomaly import io as io_door
from skanomaly.cli import _main

ROOT = Path(__file__).parents[1]
README, DOCS = ROOT / "README.md", ROOT / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="needs the repository, not the package")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks():
    return BLOCK.findall(README.read_text(encoding="utf-8"))


def shell_lines():
    return [line for kind, text in blocks() if kind == "sh" for line in text.splitlines()]


def test_every_block_of_the_readme_is_of_a_kind_that_is_tested():
    assert README.read_text(encoding="utf-8").count("```") == 2 * len(blocks())
    assert {kind for kind, _ in blocks()} <= {"python", "text", "sh", "diff"}


def test_python_blocks_of_the_readme_print_what_they_say():
    names, printed, n_compared = {}, "", 0
    same = doctest.OutputChecker().check_output
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for kind, text in blocks():
        if kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(text, str(README), "exec"), names)
            printed = output.getvalue()
        elif kind == "text":
            shares = [[int(n) for n in re.findall(r"(\d+)%", said)] for said in (text, printed)]
            assert shares[0] == pytest.approx(shares[1], abs=4)  # other machines round otherwise
            said, printed = (re.sub(r"\d+%", "%", part) for part in (text, printed))
            assert same(said, printed, options), f"README says {text!r}, printed: {printed!r}"
            n_compared += 1
    assert n_compared == 3


def test_the_first_example_has_ten_lines():
    first = next(text for kind, text in blocks() if kind == "python")
    assert len(first.splitlines()) == 10


def test_the_swap_in_the_readme_changes_one_line_that_works():
    diff = next(text for kind, text in blocks() if kind == "diff")
    removed, added = diff.splitlines()
    assert (removed[0], added[0]) == ("-", "+")
    forest, detector = {}, {}
    exec(removed[1:], forest)
    exec(added[1:], detector)
    names = ["fit", "fit_predict", "predict", "decision_function", "score_samples"]
    for name in names:
        assert callable(getattr(forest["Detector"], name))
        assert callable(getattr(detector["Detector"], name))


def test_the_two_commands_stand_alone_on_the_first_screen():
    text = README.read_text(encoding="utf-8")
    lines = text.splitlines()
    job, tests = shell_lines()[:2]
    assert lines.index(job) < 25
    assert lines.index(tests) < 25
    assert job.startswith("python3 -m venv .venv && ")
    assert job.endswith("-m skanomaly detect")


def test_the_test_command_sets_up_everything_and_runs_all_tests():
    set_up, install, test = shell_lines()[1].split(" && ")
    assert set_up == "python3 -m venv .venv"
    assert install.endswith('-e ".[test]"')
    assert "-m pytest" in test
    assert not re.search(r"\btests/| -[km] \S*core", test)  # the whole suite


def commands():
    """Return every use of the command line in README and pages, without environment and prompt."""
    pages = [README, *sorted(DOCS.glob("*.rst"))]
    use = re.compile(r"python -m skanomaly ([^`\n&]*)")
    return sorted({found for page in pages for found in use.findall(page.read_text("utf-8"))})


@pytest.mark.parametrize("command", commands())
def test_commands_are_understood(command):
    assert _main._parser().parse_args(shlex.split(command)).command == "detect"


def test_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\(([^)]+)\)", README.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("https://")]
    assert local
    assert [link for link in local if not (ROOT / link).is_file()] == []


@pytest.mark.parametrize(
    "module",
    [skanomaly, display, distributed, io_door, metrics, model_selection, thresholds, utils],
    ids=lambda m: m.__name__,
)
def test_the_api_page_lists_every_public_name(module):
    page = (DOCS / "api.rst").read_text(encoding="utf-8")
    public = [name for name in module.__all__ if not name.startswith("__")]
    missing = [n for n in public if not re.search(rf"^(   |\.\. py:data:: ){n}$", page, re.M)]
    assert missing == []


def test_python_blocks_of_the_pages_are_valid():
    n_blocks = 0
    for page in DOCS.glob("*.rst"):
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"\.\. code-block:: python\n\n((?:(?:   .*)?\n)+)", text):
            ast.parse("\n".join(line[3:] for line in block.splitlines()))
            n_blocks += 1
    assert n_blocks >= 2


def test_the_first_page_starts_with_the_example_of_the_readme():
    page = (DOCS / "index.rst").read_text(encoding="utf-8")
    first = next(text for kind, text in blocks() if kind == "python")
    for line in first.splitlines()[:6]:
        assert not line or f"   {line}\n" in page


def test_the_changelog_names_this_version_or_what_is_to_come():
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] in ("Unreleased", skanomaly.__version__)


#: Pages whose examples import Keras: they have to work where nobody has chosen a backend.
WITH_KERAS = [
    page
    for page in sorted(DOCS.glob("*.rst"))
    if re.search(r">>> (import|from) (keras|jax)", page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("page", WITH_KERAS, ids=lambda page: page.stem)
def test_pages_run_as_scripts_of_their_own(page, fresh_python, tmp_path):
    code = (
        "import doctest, sys; options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS;"
        "found = doctest.testfile(sys.argv[1], module_relative=False, optionflags=options);"
        "sys.exit(found.failed and f'{found.failed} examples failed')"
    )
    fresh_python(code, page, KERAS_HOME=str(tmp_path))


def test_the_citation_names_this_version():
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.+)$", text, re.M)[1] == skanomaly.__version__


def test_examples_are_numbered_and_begin_with_a_question():
    files = sorted((ROOT / "examples").glob("plot_*.py"))
    assert len(files) >= 14
    for file in files:
        title = ast.get_docstring(ast.parse(file.read_text("utf-8"))).splitlines()[0]
        assert title.endswith("?"), f"{file.name} has the title {title!r}"


def fresh(**parameters):
    return skanomaly.AutoencoderDetector("plain", epochs=1, random_state=0, **parameters)


def rows(**columns):
    """Return sixty rows with a column of noise besides those given."""
    return pd.DataFrame({"noise": np.random.default_rng(0).normal(size=60), **columns})


WORDS = np.where(np.arange(60) % 9, "ok", "broken")
#: What readers of the FAQ have done, in the order of its messages.
MISTAKES = {
    "ValueError: The column 'when' of X": lambda: fresh().fit(
        rows(when=pd.date_range("2024", periods=60))
    ),
    "ValueError: Input X contains infinity": lambda: fresh().fit(rows(a=np.inf)),
    "ValueError: The column 0 of X holds the text": lambda: fresh().fit([["a", 1.0], ["b", 2.0]]),
    "UserWarning: The column 'amount'": lambda: fresh().fit(rows(amount=["n.a.", *range(59)])),
    "ValueError: X has 2 features": lambda: fresh().fit(np.eye(3)).predict(np.eye(2)),
    "ValueError: The column 3 of X holds missing": lambda: fresh().fit(
        np.full((60, 4), [1.0, 2.0, 3.0, np.nan])
    ),
    "UserWarning: y": lambda: skanomaly.NeuralAnomalyClassifier(
        "plain", epochs=1, random_state=0
    ).fit(rows(), WORDS),
    "AttributeError: ": lambda: fresh().fit(rows()).predict_proba(rows()),
    "TypeError: If no scoring is specified": lambda: GridSearchCV(
        fresh(), {"latent_dim": [1]}
    ).fit(rows()),
    "ConvergenceWarning: ": lambda: skanomaly.AutoencoderDetector(
        "plain", epochs=10, learning_rate=1e-4, random_state=0
    ).fit(load_wine().data),
}


def messages_of_the_faq():
    text = (DOCS / "faq.rst").read_text(encoding="utf-8")
    section = text.split("The ten commonest messages")[1].split("\nResults\n")[0]
    return re.findall(r"^``((?:\w+Error|\w+Warning): .+?)``", section, re.M)


def test_the_faq_has_the_ten_messages():
    quoted = messages_of_the_faq()
    assert len(quoted) == len(MISTAKES)
    for message, start in zip(quoted, MISTAKES, strict=True):
        assert message.startswith(start)


@pytest.mark.parametrize("number", range(10))
@pytest.mark.filterwarnings("default")
def test_messages_of_the_faq_are_those_that_users_see(number):
    quoted, mistake = messages_of_the_faq()[number], list(MISTAKES.values())[number]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        said = []
        try:
            mistake()
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
    said += [f"{kind.category.__name__}: {kind.message}" for kind in caught]
    assert any(re.match(re.escape(quoted).replace(r"\.\.\.", ".*"), text) for text in said), said
