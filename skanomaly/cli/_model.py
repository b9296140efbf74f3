"""What ``fit`` saves and ``score`` loads: how to read a table, and a detector that watches drift.

Owns: the reader of tables as a transformer, and what is kept beside the detector. Does not own:
the format of the file (`skanomaly.io`), or the decision what each column is (``cli._kinds``).
"""

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skanomaly.cli._plans import LARGEST, parts_of
from skanomaly.cli._texts import numbers_in, without
from skanomaly.cli._words import CommandError, listed


def _plain(column):
    """Return a column of features as arrays of numbers, with the texts that they stand for."""
    import numpy as np
    import pandas as pd

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column.to_numpy(np.float64)
    column = column.cat.remove_unused_categories()
    texts = [str(text) for text in column.cat.categories]
    return {"codes": column.cat.codes.to_numpy(np.int64), "texts": texts}


def _finite(values):
    """Return features with NaN for numbers that no detector can read."""
    import numpy as np

    if values.dtype != np.float64:
        return values
    return np.where(np.abs(values) > LARGEST, np.nan, values)


class TableReader(TransformerMixin, BaseEstimator):
    """Read the columns of a table as the rows of `fit` were read.

    The first step of the pipeline that ``skanomaly fit`` saves, so that it takes tables as
    pandas reads them.

    Attributes
    ----------
    plans_ : dict
        How to read each column, by its name.
    features_ : list of str
        Names of the features, in the order in which the detector knows them.
    about_ : dict
        What `info` shows: when and on what the model was trained.
    rows_ : dict or None
        Some rows of the fit by feature, to explain others with.
    missing_ : list of str
        Texts, of numbers as well, that stand for a missing value.
    """

    def fit(self, X, y=None, *, plans=None, about=None, keep=0, missing=()):
        """Keep how columns are read.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
            Features, as the plans make them.
        y : None
            Ignored.
        plans : dict, default=None
            How to read each column.
        about : dict, default=None
            What is known of the training.
        keep : int, default=0
            How many of the rows to keep at most.
        missing : list of str, default=()
            Texts that stand for a missing value.

        Returns
        -------
        self : object
            Fitted transformer.
        """
        self.plans_ = dict(plans or {})
        self.features_ = [str(name) for name in X.columns]
        self.about_ = dict(about or {})
        self.missing_ = list(missing)
        some = X.iloc[:: -(-len(X) // keep)] if keep else None
        self.rows_ = None if some is None else {str(n): _plain(some[n]) for n in some}
        self.about_["kept_rows"] = 0 if some is None else len(some)
        return self

    def transform(self, X, decimal=None):
        """Return the features of a table.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns)
            Rows with the columns of the fit, in any order.
        decimal : "." or ",", default=None
            Decimal mark of numbers that are texts; None is that of the fit.

        Returns
        -------
        features : DataFrame of shape (n_samples, n_features)
            Numbers and categories; a column that the table lacks is missing throughout, and so
            are infinite values.
        """
        import numpy as np
        import pandas as pd

        check_is_fitted(self)
        if not set(self.plans_) & set(X.columns):
            raise CommandError(
                f"the table has none of the columns that the model learnt from: "
                f"{listed(list(self.plans_))}; it has {listed(list(X.columns))}"
            )
        columns, missing = {}, numbers_in(self.missing_)
        for name, plan in self.plans_.items():
            parts = {}
            if name in X.columns:
                parts = parts_of(plan, without(X[name], self.missing_), decimal)
            if plan["kind"] == "numbers" and missing:  # -999,00 where the user typed -999
                parts = {
                    part: np.where(np.isin(v, missing), np.nan, v) for part, v in parts.items()
                }
            for part, feature in plan["features"].items():
                absent = np.full(len(X), np.nan)
                if plan["kind"] == "categories":
                    absent = pd.Categorical([None] * len(X), categories=plan["seen"])
                columns[feature] = _finite(parts.get(part, absent))
        return pd.DataFrame(columns, index=X.index)[self.features_]

    def background(self):
        """Return rows of the fit to compare others with, as features; None if there are none."""
        import pandas as pd

        kept = getattr(self, "rows_", None)
        if kept is None:
            return None
        columns = {}
        for name in self.features_:
            values = kept[name]
            if isinstance(values, dict):
                values = pd.Categorical.from_codes(values["codes"], list(values["texts"]))
            columns[name] = values
        return pd.DataFrame(columns)

    def numbers(self):
        """Return the columns that the model reads as numbers."""
        return [name for name, plan in self.plans_.items() if plan["kind"] == "numbers"]

    def texts(self):
        """Return the columns that files held as texts."""
        return [
            name
            for name, plan in self.plans_.items()
            if plan.get("text") or plan.get("form") or plan["kind"] == "times"
        ]

    def missing_from(self, columns):
        """Return the columns of the fit that a table lacks."""
        return [name for name in self.plans_ if name not in columns]

    def extra_in(self, columns):
        """Return the columns of a table that the model does not read."""
        known = {*self.plans_, *self.about_.get("left_out", ())}
        return [name for name in columns if name not in known]

    def unread(self, X, features, decimal=None):
        """Return how many values of each column are there, but could not be read or are new."""
        import numpy as np

        found, missing = {}, numbers_in(self.missing_)
        for name, plan in self.plans_.items():
            if name not in X.columns:
                continue
            feature = features[next(iter(plan["features"].values()))]
            if plan["kind"] == "categories":
                seen = set(plan["seen"])
                counts = feature.value_counts()
                new = sum(int(n) for text, n in counts.items() if str(text) not in seen)
            else:
                odd = X[name][feature.isna() & X[name].notna()]
                new = len(odd)
                if new and missing and plan["kind"] == "numbers":
                    new -= int(np.isin(parts_of(plan, odd, decimal)[""], missing).sum())
            if new:
                found[name] = new
        return found
