"""``skanomaly compare``: which detector suits a table, measured on held-out rows."""

from skanomaly.cli._detect import prepare
from skanomaly.cli._outputs import check_out, replacing
from skanomaly.cli._saying import sayer
from skanomaly.cli._training import for_fit
from skanomaly.cli._words import CommandError

COLUMNS = ["detector", "mean", "std", "rank", "p_value", "fit_time", "score_time"]


def compare(arguments):
    """Run the command."""
    from skanomaly.model_selection import compare_detectors

    say = sayer(arguments)
    if arguments.out is not None:
        check_out(arguments.out, arguments.file, suffixes={".csv": None})
    _, features, labels = prepare(arguments, say)
    try:
        results = compare_detectors(
            _detectors(features.frame, labels is not None, arguments),
            features.frame,
            for_fit(labels),
            cv=arguments.folds,
        )
    except ValueError as error:
        raise CommandError(f"comparing failed: {error}") from error
    if arguments.out is not None:
        with replacing(arguments.out) as file:
            results.to_csv(file, index=False)
    for metric, part in results.groupby("metric", sort=False):
        print(f"{metric} over {arguments.folds} folds, the best first:")
        shown = part[COLUMNS].rename(columns={"fit_time": "fit s", "score_time": "score s"})
        print(shown.to_string(index=False, float_format="{:.3f}".format, na_rep=""))
        print()
    print("p_value: of a difference to the best one; above 0.05 it may be luck.")
    if labels is None:
        print("Without --label these criteria are hints only: they judge shapes, not anomalies.")


def _detectors(frame, labelled, arguments):
    """Return detectors by name: this package's, and scikit-learn's behind usual preparations."""
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import LocalOutlierFactor
    from sklearn.pipeline import make_pipeline

    from skanomaly import AutoencoderDetector, NeuralAnomalyClassifier

    seed = arguments.random_state
    detectors = {"AutoencoderDetector": AutoencoderDetector(random_state=seed)}
    if labelled:
        detectors["NeuralAnomalyClassifier"] = NeuralAnomalyClassifier(random_state=seed)
    forest = IsolationForest(random_state=seed)
    detectors["IsolationForest"] = make_pipeline(_preparation(frame), forest)
    neighbours = LocalOutlierFactor(novelty=True)
    detectors["LocalOutlierFactor"] = make_pipeline(_preparation(frame), neighbours)
    return detectors


def _preparation(frame):
    """Return what makes scaled numbers without gaps of the columns."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    kinds = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (kinds, make_column_selector(dtype_include="category")),
    )
