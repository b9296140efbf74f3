"""
How many alarms will I get, and where do I set the threshold?
=============================================================

A threshold set on training rows promises too much. `ThresholdedDetector` finds it on rows that
the detector did not train on, by the rule that suits the purpose, and changes it without
training again.
"""

# %%
# What the rules do
# -----------------

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from skanomaly import AutoencoderDetector, ThresholdedDetector

X, y = load_breast_cancer(return_X_y=True)
is_malignant = (y == 0).astype(int)
X_train, X_test, y_train, y_test = train_test_split(
    X, is_malignant, test_size=0.4, stratify=is_malignant, random_state=0
)
inner = AutoencoderDetector(random_state=0)
detector = ThresholdedDetector(inner, "fpr", level=0.05, cv=3, random_state=0)
detector.fit(X_train, y_train)

rules = {
    "fpr, 5%": ("fpr", {"level": 0.05}),
    "best F1": ("f1", {}),
    "recall, 90%": ("recall", {"level": 0.9}),
    "precision, 90%": ("precision", {"level": 0.9}),
    "a miss costs 10": ("cost", {"cost_fn": 10.0}),
}
offsets, table = {}, {}
for name, (rule, options) in rules.items():
    offsets[name] = detector.set_threshold(rule, **options).offset_
    alarm = detector.predict(X_test) == -1
    table[name] = {
        "threshold": round(offsets[name], 2),
        "false alarms": f"{alarm[y_test == 0].mean():.0%}",
        "found": f"{alarm[y_test == 1].mean():.0%}",
    }
pd.DataFrame(table).T

# %%
# The same scores, cut by the rules
# ---------------------------------

from skanomaly.display import ScoreDistributionDisplay

display = ScoreDistributionDisplay.from_predictions(detector.score_samples(X_test), y_test)
top = display.ax_.get_ylim()[1]
for k, (name, offset) in enumerate(sorted(offsets.items(), key=lambda item: item[1])):
    display.ax_.axvline(offset, color="black", linewidth=0.8)
    display.ax_.text(offset, top * (0.95 - 0.1 * k), f" {name}", fontsize="small")

# %%
# An alert budget
# ---------------
# "We can look at 20 alerts a day, of 100 rows." The threshold for that comes from scores of rows
# that the detector did not train on.

from skanomaly.thresholds import alert_budget_threshold

budget = alert_budget_threshold(detector.scores_, n_alerts=20, n_rows=100)
detector.set_threshold(budget)
alerts = int((detector.predict(X_test) == -1).sum())
print(f"threshold {budget:.2f}: {alerts} alerts in {len(X_test)} new rows, expected at most "
      f"{0.2 * len(X_test):.0f}")  # fmt: skip
