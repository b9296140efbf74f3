"""Who calls `fit`: scikit-learn's tools for classifiers misread what outlier detectors answer.

Owns the refusal to be fitted by them. They hand over labels in a coding of their own and read
scores, probabilities and labels as a classifier's, so that answers come out upside down without
an error; a detector cannot see it by its data.
"""

import sys

#: Modules (or packages) that fit classifiers and combine their answers.
_FOR_CLASSIFIERS = (
    "sklearn.ensemble",
    "sklearn.model_selection._classification_threshold",
    "sklearn.multiclass",
    "sklearn.multioutput",
    "sklearn.semi_supervised",
    "imblearn.ensemble",
)
#: Packages that may stand between such a tool and the detector.
_BETWEEN = {"sklearn", "imblearn", "joblib", "skanomaly", "contextlib", "concurrent", "threading"}
_FACE = "skanomaly.meta._classifier"
#: Answers for which `cross_val_predict` counts the classes through, before `fit` sees them.
_RECODED = ("decision_function", "predict_proba", "predict_log_proba")


def refuse_classifier_tools(detector):
    """Raise TypeError where a tool for classifiers is fitting the detector.

    Someone else's code in between answers for itself: the search ends there.
    """
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == _FACE or module.split(".")[0] not in _BETWEEN:
            return
        if any(module == tool or module.startswith(tool + ".") for tool in _FOR_CLASSIFIERS):
            raise TypeError(_message(detector, module))
        if frame.f_code.co_name == "cross_val_predict" and _recodes(frame.f_locals):
            raise TypeError(_message(detector, "cross_val_predict", _OTHERWISE))
        frame = frame.f_back


_OTHERWISE = ' Or pass method="predict", which is right with any labels.'


def _recodes(names):
    """Tell whether labels that `cross_val_predict` was given have lost their meaning."""
    if names.get("y") is None or names.get("method") not in _RECODED:
        return False
    encoder = names.get("le")
    return encoder is not None and list(encoder.classes_) != [0, 1]


def _message(detector, tool, otherwise=""):
    name = type(detector).__name__
    return (
        f"{name} is an outlier detector and cannot be fitted inside {tool}, which reads its "
        "answers as a classifier's: they would come out upside down. Put it into "
        f"skanomaly.AnomalyClassifier, a classifier with your own labels: "
        f"AnomalyClassifier({name}(...)).{otherwise}"
    )
