"""Documentation that many functions and classes share, each entry written once.

Owns the entries and how they get into docstrings: a line with nothing but ``%(name)s`` stands for
the entry of that name, and `documented` puts it in. Imports nothing, so that it costs nothing.
"""

import re

#: A line that stands for an entry.
_PLACEHOLDER = re.compile(r"^( *)%\((\w+)\)s *$", re.MULTILINE)


def documented(thing):
    """Put the shared entries into the docstring of a function, or of a class and its methods.

    Parameters
    ----------
    thing : function, method or class
        What has lines such as ``%(anomaly_label)s`` in its docstring. Of a class, all methods
        and properties that it defines itself are done as well.

    Returns
    -------
    thing : function, method or class
        The same object.

    Raises
    ------
    KeyError
        If there is no entry of a name.

    Examples
    --------
    >>> from skanomaly.utils._docs import documented
    >>> @documented
    ... def count(X):
    ...     '''Count rows.
    ...
    ...     %(X)s
    ...     '''
    >>> print(count.__doc__.splitlines()[2].strip())
    X : array-like of shape (n_samples, n_features)
    """
    if isinstance(thing, type):
        for member in vars(thing).values():
            _document(member)
    _document(thing)
    return thing


def _document(thing):
    """Fill the docstring of an object, and of what it wraps."""
    while thing is not None:
        written = getattr(thing, "__doc__", None)  # None with python -OO
        if isinstance(written, str) and _PLACEHOLDER.search(written):
            thing.__doc__ = _PLACEHOLDER.sub(_entry, written)
        thing = getattr(thing, "__wrapped__", None)


def _entry(found):
    """Return the entry that a line stands for, as far to the right as that line."""
    indent, name = found.groups()
    if name not in ENTRIES:
        raise KeyError(f"skanomaly.utils._docs has no entry {name!r} for a docstring.")
    lines = _PLACEHOLDER.sub(_entry, ENTRIES[name].strip("\n")).split("\n")
    return "\n".join(indent + line if line else line for line in lines)


#: Rows, labels and weights.
_ROWS = """
[X]
X : array-like of shape (n_samples, n_features)
    Rows.
[training_X]
X : array-like of shape (n_samples, n_features)
    Training rows.
[distributed_X]
X : dask DataFrame or Array of shape (n_samples, n_features), or array-like
    Rows.
[y]
y : array-like of shape (n_samples,)
    Labels in any coding; rows without a label are left out.
[y_true]
y_true : array-like of shape (n_samples,)
    Labels in any coding; rows without a label are left out.
[y_pred]
y_pred : array-like of shape (n_samples,)
    What ``predict`` of an outlier detector answers: -1 for an anomaly, +1 for a normal row.
[scores]
scores : array-like of shape (n_samples,)
    ``score_samples`` or ``decision_function``: higher is more normal.
[anomaly_label]
anomaly_label : scalar, default="auto"
    The label that marks an anomaly. "auto" reads -1 of -1/1 and 1 (True) of 0/1 as the
    anomaly, and takes the rarest value of any other coding, with a warning.
[sample_weight]
sample_weight : array-like of shape (n_samples,), default=None
    Weights of the rows.
[frequencies]
sample_weight : array-like of shape (n_samples,), default=None
    Frequencies: a row of weight 2 counts like two copies of it.
[labelled_scores]
scores : array-like of shape (n_samples,)
    Scores, best of rows held out from training; higher is more normal.
%(y)s
"""

#: Time stamps.
_SERIES = """
[series_X]
X : array-like of shape (n_timestamps, n_channels)
    Time stamps, those of a series in order.
[series_groups]
groups : array-like of shape (n_timestamps,), default=None
    Series each time stamp belongs to; None is one series.
[series_y_true]
y_true : array-like of shape (n_timestamps,)
    Labels in any coding, in the order of time.
[series_y_pred]
y_pred : array-like of shape (n_timestamps,)
    -1 for anomalies, +1 for normal time stamps.
"""

#: Parameters of detectors.
_PARAMETERS = """
[input_shape]
input_shape : tuple of int, default=None
    What a flat row stands for with those: (n_steps, n_channels), step by step, or (height,
    width, n_channels); the channels may be left out where there is one. None is one channel,
    for "conv2d" in a square image. `WindowedDetector` sets it.
[optimizer]
optimizer : str or keras.optimizers.Optimizer, default="adam"
    Name, or instance: that is copied and brings its own learning rate.
[learning_rate]
learning_rate : "auto" or float, default="auto"
    Learning rate of a named optimizer.
[max_steps]
max_steps : "auto", int or None, default="auto"
    Budget in optimizer steps, whatever the number of rows; an explicit `epochs` wins.
[batch_size]
batch_size : "auto" or int, default="auto"
    Rows in a batch.
[validation_fraction]
validation_fraction : float in (0, 1), default=0.1
    Share of the rows held out for early stopping.
[n_iter_no_change]
n_iter_no_change : int, default=10
    Epochs without improvement before early stopping.
[callbacks]
callbacks : keras.callbacks.Callback or list of them, default=None
    Called while training.
[categorical_features]
categorical_features : "from_dtype", array-like or None, default="from_dtype"
    Which features are categories: a mask, places or names of columns. "from_dtype" takes
    the columns of a DataFrame that hold categories, strings or booleans; None takes none.
[warm_start]
warm_start : bool, default=False
    Go on training the network of the last `fit` instead of a new one.
[random_state]
random_state : int, RandomState instance or None, default=None
    Seed of everything random. The global generators are left alone.
[inner_random_state]
random_state : int, RandomState instance or None, default=None
    Seed for every `random_state` of the detector that is None.
[shuffle_random_state]
random_state : int, RandomState instance or None, default=None
    Seed of the shuffle.
[verbose]
verbose : int, default=0
    1 shows a progress line on standard error.
[n_jobs]
n_jobs : int, default=None
    Processes over the folds.
[explain_params]
**params : dict
    Parameters of `skanomaly.explain`, such as ``n_references``.
"""

#: Attributes of fitted detectors.
_ATTRIBUTES = """
[offset_]
offset_ : float
    Threshold: ``decision_function = score_samples - offset_``.
[network_]
network_ : keras.Model
    The trained network. It reads scaled columns, without missing values; that of the classifier's
    default recipe reads what its first stage makes of them (``network_.input_shape``).
[history_]
history_ : dict of str to list of float
    "loss" per epoch, and "val_loss" with early stopping.
[n_iter_]
n_iter_ : int
    Number of epochs trained.
[is_categorical_]
is_categorical_ : ndarray of shape (n_features_in_,), bool, or None
    Which features are categories; None when none is.
[n_features_in_]
n_features_in_ : int
    Number of columns seen in `fit`.
[feature_names_in_]
feature_names_in_ : ndarray of shape (n_features_in_,)
    Their names, when all of them are strings.
[estimator_]
estimator_ : estimator
    The fitted detector.
[inner_n_features_in_]
n_features_in_ : int
    Number of columns seen in `fit`, if the detector says.
[inner_feature_names_in_]
feature_names_in_ : ndarray of shape (n_features_in_,)
    Their names, if the detector says.
"""

#: What comes back, and what is raised.
_ANSWERS = """
[fitted]
Returns
-------
self : object
    Fitted estimator.
[unusable]
ValueError
    If the data or a parameter is unusable, or training diverges. The detector is then
    as it was before the call.
[threshold]
Returns
-------
threshold : float
    Rows with ``score < threshold`` are anomalies.
[in_unit_interval]
Returns
-------
value : float
    In [0, 1].
[as_f1_score]
ValueError
    As `f1_score`.
[unreadable_scores]
ValueError
    If lengths differ, scores are not finite, or only one class is labelled.
"""

#: Displays.
_DISPLAYS = """
[shown_estimator]
estimator : estimator
    Fitted outlier detector of skanomaly or scikit-learn, or a pipeline with one.
[ax]
ax : matplotlib Axes, default=None
    Where to draw; None makes a new figure.
[name]
name : str, default=None
    Name in the legend.
[plot_options]
**kwargs : dict
    Passed to `plot`.
[line_options]
**kwargs : dict
    Passed to `matplotlib.axes.Axes.plot`.
[figure_]
figure_ : matplotlib Figure
    The figure around them.
[line_]
line_ : matplotlib Line2D
    The curve.
[n_bars]
k : int, default=10
    Features to show; the others share a bar.
[row_codes]
labels : ndarray of shape (n_samples,), default=None
    -1 for anomalies, 1 for normal rows, 0 for rows without a label.
[n_bins]
n_bins : int, default=8
    Number of groups.
[strategy]
strategy : {"quantile", "uniform"}, default="quantile"
    Groups of as many rows each, or of equal width in probability.
[test_level]
alpha : float in (0, 1), default=0.05
    Level of the test.
[metric]
metric : str, default="score"
    Name of the metric.
[titles]
titles : list of str, default=None
    A title for each row.
[unit]
unit : str, default="value"
    What the values are measured in.
[drawn_on]
ax_ : matplotlib Axes
    The axes drawn on.
%(figure_)s
[drawn]
Returns
-------
display : object
    The display of this class, drawn.
"""

#: Whole sections, where functions have all of them in common.
_SECTIONS = """
[rows]
Parameters
----------
%(X)s
[scoring]
%(rows)s

Returns
-------
scores : ndarray of shape (n_samples,), float64
    Higher for normal rows.
[labelling]
%(rows)s

Returns
-------
labels : ndarray of shape (n_samples,), int
    +1 for normal rows, -1 for anomalies.
[distributed_rows]
Parameters
----------
%(distributed_X)s
[series_rows]
Parameters
----------
%(series_X)s
%(series_groups)s
[series_training]
Parameters
----------
%(series_X)s
y : array-like of shape (n_timestamps,), default=None
    Labels, for a detector that learns from them.
%(series_groups)s
[labels_and_scores]
Parameters
----------
%(y_true)s
%(scores)s
%(anomaly_label)s
%(sample_weight)s
[labels_and_predictions]
Parameters
----------
%(y_true)s
%(y_pred)s
%(anomaly_label)s
%(sample_weight)s
[series_labels_and_predictions]
Parameters
----------
%(series_y_true)s
%(series_y_pred)s
%(anomaly_label)s
[volume]
Parameters
----------
%(series_y_true)s
scores : array-like of shape (n_timestamps,)
    ``score_samples`` or ``decision_function``: higher is more normal.
max_buffer : int, default=100
    Time stamps around an event up to which labels are softened.
%(anomaly_label)s

%(in_unit_interval)s

Raises
------
ImportError
    If dtaianomaly is not installed.
ValueError
    If lengths differ or scores are not finite.
"""

#: Each entry by its name, which stands in brackets before it.
_PARTS = re.split(
    r"^\[(\w+)\]\n",
    _ROWS + _SERIES + _PARAMETERS + _ATTRIBUTES + _ANSWERS + _DISPLAYS + _SECTIONS,
    flags=re.MULTILINE,
)
ENTRIES = dict(zip(_PARTS[1::2], _PARTS[2::2], strict=True))
