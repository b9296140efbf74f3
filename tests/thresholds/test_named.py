"""The public rules for thresholds, as functions and by name."""

import subprocess
import sys

import numpy as np
import pytest

from skanomaly import thresholds
from skanomaly.thresholds._named import RULES, as_threshold, check_rule, rule_threshold

SCORES, LABELS = np.arange(12.0), np.array([1, 1, 0, 1] + [0] * 8)
CODES = np.where(LABELS == 1, -1, 1)
UNLABELLED = {
    "contamination": lambda s: thresholds.contamination_threshold(s, 0.1),
    "auto": thresholds.contamination_threshold,
    "robust": thresholds.robust_threshold,
    "fpr": lambda s: thresholds.fpr_threshold(s, 0.2),
    "pot": lambda s: thresholds.pot_threshold(s, 0.01),
}
LABELLED = {
    "f1": thresholds.f1_threshold,
    "precision": lambda s, y, **kw: thresholds.precision_threshold(s, y, 0.9, **kw),
    "recall": lambda s, y, **kw: thresholds.recall_threshold(s, y, 1.0, **kw),
    "cost": lambda s, y, **kw: thresholds.cost_threshold(s, y, 1, 5, **kw),
}


def test_public_names_exist_and_are_light():
    assert sorted(thresholds.__all__) == thresholds.__all__
    assert all(hasattr(thresholds, name) for name in thresholds.__all__)
    code = (
        "import sys, skanomaly.thresholds, skanomaly.display;"
        "from skanomaly import ThresholdedDetector, ConformalDetector;"
        "from skanomaly.display import ReliabilityDisplay;"
        "sys.exit(any(m in sys.modules for m in ('keras', 'jax', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_fpr_keeps_its_rate_on_new_rows():
    """One of n + 1 exchangeable rows falls below with a probability of k / (n + 1), exactly."""
    for n, level in ((9, 0.1), (10, 0.1), (99, 0.05), (57, 0.2)):
        scores = np.random.default_rng(n).permutation(n + 1) + 0.5
        below = [
            scores[i] < thresholds.fpr_threshold(np.delete(scores, i), level) for i in range(n + 1)
        ]
        share = np.mean(below)
        assert share <= level * (1 + 1e-12)
        assert share > level - 1 / (n + 1)


def test_fpr_with_ties_does_not_exceed_the_rate():
    scores = np.repeat([0.0, 1.0], [30, 70])
    assert np.mean(scores < thresholds.fpr_threshold(scores, 0.1)) == 0


def test_fpr_says_how_many_rows_it_takes():
    with pytest.raises(ValueError, match=r"rate of false alarms of 0\.01: that takes at least 99"):
        thresholds.fpr_threshold(np.arange(98.0), 0.01)
    assert thresholds.fpr_threshold(np.arange(99.0), 0.01) == 0.0
    for value in (0, 1, -0.1, np.nan, "low"):
        with pytest.raises(ValueError, match=r"fpr must be a number in \(0, 1\)"):
            thresholds.fpr_threshold(np.arange(98.0), value)


@pytest.mark.parametrize("name", LABELLED)
def test_labels_may_have_any_coding(name):
    rule = LABELLED[name]
    expected = rule(SCORES, LABELS)
    assert rule(SCORES, CODES) == expected
    assert rule(SCORES, LABELS == 1) == expected
    words = np.where(LABELS == 1, "worn", "fine")
    assert rule(SCORES, words, anomaly_label="worn") == expected
    # rows without a label are left out
    more = np.r_[SCORES, [2.5, 2.6]], np.r_[LABELS, [np.nan, np.nan]]
    assert rule(*more) == expected


def test_thresholds_do_what_they_say():
    flagged = thresholds.precision_threshold(SCORES, LABELS, 0.9) > SCORES
    assert LABELS[flagged].mean() >= 0.9
    flagged = thresholds.recall_threshold(SCORES, LABELS, 1.0) > SCORES
    assert flagged[LABELS == 1].all()
    assert thresholds.cost_threshold(SCORES, LABELS, 1, 5) == 3.5
    assert thresholds.cost_threshold(SCORES, LABELS, 5, 1) == 1.5
    assert thresholds.f1_threshold(SCORES, LABELS) == 3.5
    assert thresholds.contamination_threshold(SCORES, 0.25) == np.percentile(SCORES, 25)


@pytest.mark.parametrize("name", [*UNLABELLED, *LABELLED])
def test_equal_scores_are_refused(name):
    arguments = [np.ones(12)] if name in UNLABELLED else [np.ones(12), LABELS]
    with pytest.raises(ValueError, match=r"all (labelled )?(scores|rows)"):
        {**UNLABELLED, **LABELLED}[name](*arguments)


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("y", [np.zeros(12), np.r_[1, np.full(11, np.nan)]])
def test_one_class_is_refused(name, y):
    with pytest.raises(ValueError, match=r"at least one anomaly and one normal row"):
        LABELLED[name](SCORES, y)


# Rules by name


def test_names_stand_for_the_functions():
    scores = np.random.default_rng(0).normal(size=200)
    codes = np.where(scores + np.random.default_rng(1).normal(size=200) < -1.5, -1, 1)
    normal = scores[codes == 1]
    expected = {
        ("auto", None): thresholds.robust_threshold(scores),
        ("contamination", 0.07): thresholds.contamination_threshold(scores, 0.07),
        ("fpr", 0.1): thresholds.fpr_threshold(normal, 0.1),
        ("pot", 0.001): thresholds.pot_threshold(normal, 0.001),
        ("f1", None): thresholds.f1_threshold(scores, codes),
        ("precision", 0.6): thresholds.precision_threshold(scores, codes, 0.6),
        ("recall", 0.7): thresholds.recall_threshold(scores, codes, 0.7),
        ("cost", None): thresholds.cost_threshold(scores, codes, 2, 3),
    }
    assert {name for name, _ in expected} == set(RULES)
    for (name, level), value in expected.items():
        found = rule_threshold(name, scores, codes, level=level, cost_fp=2, cost_fn=3)
        assert found == value, name
    assert rule_threshold("fpr", scores, level=0.1) == thresholds.fpr_threshold(scores, 0.1)


def test_own_rules():
    assert rule_threshold(lambda s, y: s[y == -1].max(), SCORES, CODES) == 3.0
    assert as_threshold(2, None) == 2.0


@pytest.mark.parametrize(
    ("rule", "level", "codes", "match"),
    [
        ("best", None, None, "rule must be one of .*'auto'.* a callable, .* got 'best'"),
        ("auto", 0.1, None, "'auto' takes no level, got level=0.1"),
        ("fpr", None, None, r"'fpr' needs a level in \(0, 1\), the rate of false alarms"),
        ("fpr", 1, None, r"needs a level in \(0, 1\), the rate"),
        ("pot", 0.1, None, r"needs a level in \(0, 0.1\), the rate"),
        ("contamination", 0.6, None, r"needs a level in \(0, 0.5\], the share"),
        ("contamination", 1.5, None, "the share of rows to call anomalies.*Got level=1.5"),
        ("recall", 0, CODES, "the least recall.*Got level=0"),
        ("f1", None, None, r"anomalies and normal rows, got y=None.*\['auto', 'contamination'"),
        ("cost", None, np.ones(12), "got 0 anomalies and 12 normal rows"),
    ],
)
def test_refusals_come_before_any_work(rule, level, codes, match):
    with pytest.raises(ValueError, match=match):
        check_rule(rule, level, codes)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_thresholds_are_finite(value):
    with pytest.raises(ValueError, match="threshold must be finite"):
        as_threshold(value, None)


class Thresholder:
    """A rule of PyThresh's kind: it labels scores that grow, and writes on itself."""

    def __init__(self, answer=None):
        self.answer = answer

    def eval(self, decision):
        self.seen = decision
        return (decision > 2).astype(int) if self.answer is None else self.answer


def test_rules_of_pythresh():
    rule, scores = Thresholder(), -np.array([0.0, 5.0, 1.0, 3.0, 2.0])
    assert rule_threshold(rule, scores) == -2.5
    assert not hasattr(rule, "seen")
    assert rule_threshold(Thresholder(np.zeros(5, int)), scores) == -5.0
    assert np.all(scores < rule_threshold(Thresholder(np.ones(5, int)), scores))
    with pytest.raises(ValueError, match="must answer 0 or 1 for each of 5 scores"):
        rule_threshold(Thresholder(np.full(5, 2)), scores)


def test_a_rate_below_all_rates_is_refused():
    with pytest.raises(ValueError, match=r"takes at least 1e\+300"):
        thresholds.fpr_threshold(np.arange(9.0), 5e-324)
