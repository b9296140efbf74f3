"""Autoencoder: learns to rebuild rows, and says what it cannot rebuild.

Owns the way from rows to the network's answers and back to the units of the data, and which score
is made of them. Does not own: the comparison of answers with rows (``learners._residuals``) or
channels of scores (``scores._channels``).
"""

import numpy as np

from skanomaly.learners._base import PARTS as LEARNER_PARTS
from skanomaly.learners._base import Learner
from skanomaly.learners._ensemble import PARTS as ENSEMBLE_PARTS
from skanomaly.learners._ensemble import EnsembleScore
from skanomaly.learners._residuals import Reconstruction
from skanomaly.networks._autoencoders import member_autoencoder
from skanomaly.networks._heads import with_codes
from skanomaly.networks._layers import MultiscaleNoise, row_folds
from skanomaly.networks._sequences import autoencoder
from skanomaly.networks._user_model import output_shape, user_network
from skanomaly.preprocessing._scaling import ScaledRows
from skanomaly.preprocessing._table import missing_columns, missing_features, targets
from skanomaly.preprocessing._views import in_chunks
from skanomaly.scores._mahalanobis import Mahalanobis
from skanomaly.training._predict import forward
from skanomaly.training._trainer import assemble
from skanomaly.utils._weights import reference_rows

#: Training rows that scores are fitted on at most; the network trains on all of them.
SCORE_SAMPLE = 32_768
#: Folds at least, of which each member leaves one out.
_FOLDS = 4


class Autoencoder(Learner):
    """One autoencoder or several side by side, and a score of what they leave.

    Parameters
    ----------
    settings : dict
        ``architecture``, ``row_shape``, ``hidden_layer_sizes``, ``latent_dim``, ``activation``,
        ``n_estimators``, ``noise``, ``dropout``, ``l2``, ``anomaly_score``, ``standardize``,
        ``model``, and ``masked``: whether targets hold what rows do not.
    schedule, seed
        As in `Learner`.
    """

    def prepare(self, rows, before=None):
        """Learn the scale of the rows, and where their numbers and categories lie."""
        values = super().prepare(rows, before)
        self.compare = Reconstruction(getattr(rows.X, "layout", None), self.scaler)
        return values

    def build(self, n_columns):
        """Return the untrained model; called with all generators seeded."""
        settings = self.settings
        members = settings["n_estimators"] if settings["n_estimators"] > 1 else None
        network = self._network(n_columns, members)
        low, high = settings["noise"]
        layout = self.compare.layout
        shares = None if layout is None else layout.noise_shares()
        noisy = high > 0 or members
        parts = 1 if members is None or members % 2 else 2  # an even number trains as two halves
        noise = None
        if noisy:
            noise = MultiscaleNoise(low, high, members, None, shares, parts, self._n_folds())
        return assemble(network, noise, members)

    def _n_folds(self):
        """Return the number of folds of which members leave one out each; None for no folds."""
        in_folds = self.settings["anomaly_score"] == "ensemble" and self.settings["model"] is None
        return max(self.settings["n_estimators"], _FOLDS) if in_folds else None

    def _folds(self, X):
        """Return the folds of rows: member j did not learn from fold j."""
        Z = ScaledRows(X, self.scaler)[:].astype(np.float64)
        return row_folds(Z, self._n_folds() or _FOLDS).astype(int)

    def _network(self, n_columns, members):
        settings = self.settings
        if settings["model"] is not None:
            network = user_network(settings["model"], n_columns)
            _check_output(network, n_columns)
            if settings["anomaly_score"] not in ("reconstruction", "channels"):
                with_codes(network)  # refuses those without, before they are trained
            return network
        names = ("hidden_layer_sizes", "latent_dim", "activation", "dropout", "l2")
        shape = {name: settings[name] for name in names}
        if members is not None:
            return member_autoencoder(n_columns, members, **shape)
        kind = {name: settings[name] for name in ("architecture", "row_shape")}
        return autoencoder(n_columns, **kind, **shape)

    def targets(self, rows, values):
        """Return scaled rows, as their own targets where they are complete numbers."""
        y = targets(rows.X, self.scaler) if self.settings["masked"] else None
        return values, y, rows.row_indices, None

    def epoch(self, passes):
        """Yield values and targets (or None) of the blocks of one epoch."""
        for X in passes():
            masked = self.settings["masked"]
            yield ScaledRows(X, self.scaler), targets(X, self.scaler) if masked else None

    def finish(self, rows, values, y):
        """Fit what turns residuals and codes into a score, on a bounded sample of rows."""
        self.scorer = None
        if self.settings["anomaly_score"] == "reconstruction":
            return
        part = getattr(rows.X, "part", rows.X.__getitem__)
        sample = part(reference_rows(rows.row_indices, SCORE_SAMPLE, self.seed))
        if self.settings["anomaly_score"] == "ensemble":
            self.trainer.round_weights()
        in_folds = self._n_folds() is not None and self.trainer.model.corruption is not None
        score = _score_of(self.settings, self.seed, self.compare.layout, in_folds)
        self.scorer = score.fit(*self.views(sample), self._folds(sample))

    def score(self, X):
        """Return scores of rows as learners see them, float64, higher for anomalies."""
        if self.scorer is None:
            return self._squared_errors(X).mean(axis=2).mean(axis=1)
        return self.scorer.score(*self.views(X))

    def error_parts(self, X):
        """Return each feature's part of the mean squared error, in the order of the data."""

        def one(rows):
            error = self._squared_errors(rows).mean(axis=1)
            return self.compare.in_order(error) / error.shape[1]

        return in_chunks(one, X)

    def told(self, X):
        """Return what surprises add to scores, what to expect instead, and which values those are.

        Returns
        -------
        shares : ndarray of shape (n_samples, n_features)
        chances : ndarray of shape (n_samples, n_features, n_bins)
        middles : ndarray of shape (n_features, n_bins)
            Values of the bins in the units of the data; of a category the number of its value.
        """
        Z, missing = self._scaled(X)
        shares, chances = self.scorer.told(np.asarray(Z, np.float64), missing)
        in_order = self.compare.in_order
        return in_order(shares), in_order(chances), in_order(self._middles().T).T

    def _middles(self):
        middles = self.scorer.masked_.bins_.middles_.copy()
        if self.scaler is not None:
            numbers = slice(None if self.compare.layout is None else self.compare.layout.n_numbers)
            rows = np.zeros((middles.shape[1], len(self.scaler.mean_)))
            rows[:, numbers] = middles[numbers].T
            middles[numbers] = self.scaler.inverse_transform(rows)[:, numbers].T
        return middles

    def reconstruct(self, X):
        """Return what the network makes of rows, in the units of the data."""

        def one(rows):
            mean = self.compare.values(self._outputs(self._scaled(rows)[0])).mean(axis=1)
            mean = mean if self.scaler is None else self.scaler.inverse_transform(mean)
            mean = np.nan_to_num(mean)
            if self.compare.layout is None:
                return mean
            return self.compare.to_features(mean, rows.with_missing(slice(None)))

        return in_chunks(one, X)

    def encode(self, X):
        """Return the inner codes of rows, those of several members side by side."""
        encoder = with_codes(self.trainer.network)

        def one(rows):
            codes = forward(encoder, self._scaled(rows)[0])[1]
            return np.nan_to_num(np.asarray(codes, dtype=np.float64)).reshape(len(rows), -1)

        return in_chunks(one, X)

    def views(self, X):
        """Return scaled rows, the members' residuals and codes, and what is missing.

        (n_samples, n_columns), (n_members, n_samples, any) twice, and (n_samples, n_features) or
        None.
        """
        Z, missing = self._scaled(X)
        Z = np.asarray(Z, dtype=np.float64)
        outputs, codes = forward(with_codes(self.trainer.network), Z)
        outputs, codes = _by_member(outputs), _by_member(codes)
        by_member = None if missing is None else missing[None]
        return Z, self.compare.residuals(outputs, Z[None], by_member), codes, missing

    def _outputs(self, Z):
        """Return the members' reconstructions, (n_samples, n_members, n_features)."""
        return forward(self.trainer.network, Z).reshape(len(Z), -1, Z.shape[1])

    def _scaled(self, X):
        """Return scaled rows, and which of their features are missing (None: none is)."""
        Z, missing = ScaledRows(X, self.scaler)[:], missing_features(X)
        if missing is not None:  # the network's own guess of what is missing is the better one
            guess = self.compare.values(self._outputs(Z)).mean(axis=1)
            Z = np.where(missing_columns(X), guess, Z).astype(np.float32)
        return Z, missing

    def _squared_errors(self, X):
        """Return squared errors, (n_samples, n_members, n_features)."""
        Z, missing = self._scaled(X)
        missing = None if missing is None else missing[:, None]
        residuals = self.compare.residuals(self._outputs(Z), Z[:, None], missing)
        return np.square(residuals, out=residuals)


class MahalanobisScore:
    """Log squared Mahalanobis distance, mean over the members.

    It is fitted on scaled rows Z (n_samples, n_columns) and what the members make of them,
    residuals and codes (n_members, n_samples, any).
    """

    def fit(self, Z, residual, codes, missing=None, folds=None):
        """Learn what is normal from a sample of training rows."""
        features = self._features(residual, codes)
        self.members = [Mahalanobis().fit(a) for a in features]
        return self

    def score(self, Z, residual, codes, missing=None):
        """Return scores, (n_samples,)."""
        pairs = zip(self.members, self._features(residual, codes), strict=True)
        return np.mean([member.score(a) for member, a in pairs], axis=0)

    def _features(self, residual, codes):
        return np.concatenate([residual, codes], axis=2)


class ResidualMahalanobis(MahalanobisScore):
    """The same on the residual alone."""

    def _features(self, residual, codes):
        return residual


def _score_of(settings, seed, layout, in_folds):
    """Return the unfitted score that settings ask for."""
    kind = settings["anomaly_score"]
    if kind in ("ensemble", "channels"):
        return EnsembleScore(
            seed,
            settings["trim"],
            layout,
            networks=kind == "ensemble",
            max_steps=settings["max_steps"],
            columns=settings["architecture"] == "dense",
            in_folds=in_folds,
        )
    return {"mahalanobis": MahalanobisScore, "residual": ResidualMahalanobis}[kind]()


#: Classes that a fitted `Autoencoder` is made of.
PARTS = (
    *LEARNER_PARTS, *ENSEMBLE_PARTS, Autoencoder, Reconstruction, MahalanobisScore,
    ResidualMahalanobis,
)  # fmt: skip


def _by_member(values):
    """Bring (n, width) or (n, n_members, width) to (n_members, n, width), float64."""
    values = np.asarray(values, dtype=np.float64)
    return values[None] if values.ndim == 2 else values.transpose(1, 0, 2)


def _check_output(network, n_columns):
    """Refuse an own network whose output cannot be compared with its input."""
    shape = output_shape(network, n_columns)
    if shape != (n_columns,):
        raise ValueError(
            "The network given as `model` must answer each row of "
            f"{n_columns} values with as many values, but its output has the shape "
            f"{(None, *shape)}. End it with a layer such as keras.layers.Dense({n_columns})."
        )
