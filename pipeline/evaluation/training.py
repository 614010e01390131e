"""Makes a decision model from labelled sets: weights, operating points and what they rest on.

An item is labelled, its passages are not: in each round the passage that the model of the round before likes best
stands for its item. Probabilities and points are taken out of fold, from models that have not seen the item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigurationError
from pipeline.evaluation.pairs import Pairs
from pipeline.logic.decision import FEATURES, LEXICAL, STANCE_FEATURES, STANCES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

# sklearn's C; out of fold and on the stream's validation split 0.003, 0.03 and 0.3 differ by no more than chance.
REGULARISATION = 0.03
ROUNDS = 3
FOLDS = 5
KEPT = 0.01  # share of the far negatives that is kept: there are hundreds of thousands, all alike
NEAR = 0.5  # a pair with this share of groups, or a probe among the highest 3 %, is no far negative
ACCEPTED_PRECISION, STRICT_PRECISION = 0.8, 0.9  # of the pairs at and above the point, out of fold
SUGGESTED = 0.15  # one suggestion in seven is worth an analyst's look at it alone
SEEN = 0.97  # quantile of the logits from which on calibration is fitted
STANCE_REGULARISATION = 0.3
STANCE_BALANCE = {0: 1.0, 1: 1.5, 2: 1.5}  # supports is far more frequent; full balance finds refutations that are none
RATE_PRIOR = 6.0  # labels of the usual kind that a claim's own stance rates begin with
OWN_LABELS = 20  # positives that a claim must have for an accepted point of its own, and a set for a say in points


@dataclass(frozen=True)
class Labels:
    """A set to learn from; `weight` is that of each of its pairs. With 0 it teaches stance alone.

    Probabilities are set right by sets of `real` texts: how often what sort of text is evidence, practice can't say.
    """

    pairs: Pairs
    weight: float
    real: bool = True


@dataclass
class Linear:
    """A fitted logistic model over some of FEATURES."""

    columns: list[int]
    mean: Matrix
    scale: Matrix
    weights: Matrix
    bias: Any

    def logit(self, features: Matrix) -> Matrix:
        return np.asarray(((features[..., self.columns] - self.mean) / self.scale) @ self.weights + self.bias)

    def stored(self) -> dict[str, Any]:
        """Over all FEATURES: those that were left out have weight 0."""
        size = len(FEATURES)
        mean, scale, weights = np.zeros(size), np.ones(size), np.zeros(size)
        mean[self.columns], scale[self.columns], weights[self.columns] = self.mean, self.scale, self.weights
        return rounded({"mean": mean, "scale": scale, "weights": weights, "bias": self.bias})


def fit(
    sets: Sequence[Labels],
    names: Sequence[str] = FEATURES,
    keep: Callable[[int], NDArray[np.bool_]] | None = None,
    regularisation: float = REGULARISATION,
) -> Linear:
    """Learn from the sets' items, or from those that `keep(number of the set)` marks (items, or items x claims)."""
    from sklearn.linear_model import LogisticRegression

    columns = [FEATURES.index(name) for name in names]

    def scores(features: Matrix) -> Matrix:
        return np.asarray(features[..., FEATURES.index("probe_context")])

    for _ in range(ROUNDS):
        xs, ys, ws = [], [], []
        for number, labelled in enumerate(sets):
            pairs = labelled.pairs
            _, passage = pairs.best(scores(pairs.features))
            usable = (pairs.labels >= 0) & (passage >= 0) & _telling(pairs)
            if keep is not None:
                kept = keep(number)
                usable &= kept if kept.ndim == 2 else kept[:, None]
            rows, claims = np.nonzero(usable)
            xs.append(pairs.features[passage[rows, claims], claims][:, columns])
            ys.append(pairs.labels[rows, claims] == 1)
            ws.append(np.full(len(rows), labelled.weight))
        x, y, w = np.concatenate(xs), np.concatenate(ys), np.concatenate(ws)
        mean, scale = x.mean(axis=0), _spread(x)
        model = LogisticRegression(C=regularisation, max_iter=1000).fit((x - mean) / scale, y, sample_weight=w)
        fitted = Linear(columns, mean, scale, model.coef_[0], float(model.intercept_[0]))
        scores = fitted.logit
    return fitted


def _telling(pairs: Pairs) -> NDArray[np.bool_]:
    """Positives, near negatives and a few of the far ones."""
    groups = pairs.best(pairs.features[..., FEATURES.index("groups_context")])[0]
    probe = pairs.best(pairs.features[..., FEATURES.index("probe_context")])[0]
    some = np.random.default_rng(0).random(groups.shape) < KEPT
    kept = (pairs.labels == 1) | (groups >= NEAR) | (probe > np.quantile(probe, 0.97)) | some
    return np.asarray(kept | (groups.size < 10_000))


def folds(pairs: Pairs, count: int = FOLDS) -> NDArray[np.intp]:
    """Blocks of time; an article's paragraphs (`id#number`) stay together."""
    published = [(item.published or "", str(item.id).split("#")[0]) for item in pairs.data.items]
    groups = sorted(set(published))
    block = {group: n * count // len(groups) for n, group in enumerate(groups)}
    return np.array([block[group] for group in published], np.intp)


def out_of_fold(
    sets: Sequence[Labels], names: Sequence[str] = FEATURES, regularisation: float = REGULARISATION
) -> list[Matrix]:
    """Logits (items, claims) of each set, each by a model that has not seen the item's block of time."""
    assigned = [folds(labelled.pairs) for labelled in sets]
    found = [np.zeros(labelled.pairs.labels.shape, np.float32) for labelled in sets]
    for fold in range(FOLDS):
        others = [blocks != fold for blocks in assigned]
        fitted = fit(sets, names, others.__getitem__, regularisation)
        for labelled, blocks, logits in zip(sets, assigned, found, strict=True):
            held = blocks == fold
            logits[held] = labelled.pairs.best(fitted.logit(labelled.pairs.features))[0][held]
    return found


def train(all_sets: Sequence[Labels], version: str, trained_on: Sequence[str]) -> dict[str, Any]:
    """The decision model as it is stored."""
    sets = [labelled for labelled in all_sets if labelled.weight > 0]
    if not all(any((s.pairs.labels == label).any() for s in sets if s.real) for label in (0, 1)):
        raise ConfigurationError("the sets to learn from need both texts that are evidence and texts that are none")
    fitted = fit(sets)
    plain = fit(sets, [name for name in FEATURES if name not in LEXICAL])
    logits = out_of_fold(sets)
    real = [(z, s.pairs) for z, s in zip(logits, sets, strict=True) if s.real]
    values = np.concatenate([z[pairs.used] for z, pairs in real])
    truth = np.concatenate([pairs.labels[pairs.used] == 1 for _, pairs in real])
    claims = np.concatenate([np.nonzero(pairs.used)[1] for _, pairs in real])
    source = np.concatenate([np.full(pairs.used.sum(), n) for n, (_, pairs) in enumerate(real)])
    slope, shift = straightened(values, truth, source)
    for linear in (fitted, plain):
        linear.weights, linear.bias = linear.weights * slope, linear.bias * slope + shift
    probability = np.asarray(1 / (1 + np.exp(-(values * slope + shift))), np.float32)
    ids = [claim.claim_id for claim in sets[0].pairs.matcher.claims]
    accepted = point(probability, truth, source, ACCEPTED_PRECISION)
    # A claim's labels are few: all its sets together say where its own point lies.
    own = {
        claim: point(probability[of], truth[of], np.zeros(int(of.sum()), np.intp), ACCEPTED_PRECISION)
        for claim, of in ((claim, claims == j) for j, claim in enumerate(ids))
        if truth[of].sum() >= OWN_LABELS
    }
    return {
        "version": version,
        "trained_on": list(trained_on),
        "features": list(FEATURES),
        "stance_features": list(STANCE_FEATURES),
        "weights": fitted.stored(),
        "plain": plain.stored(),
        **stance(all_sets),
        "points": {
            "accepted": accepted,
            "strict": point(probability, truth, source, STRICT_PRECISION),
            "suggested": at(probability, truth, source, SUGGESTED),
        },
        "by_claim": {claim: stricter for claim, stricter in own.items() if harder(stricter, accepted)},
    }


def straightened(values: Matrix, truth: NDArray[np.bool_], source: NDArray[np.intp]) -> tuple[float, float]:
    """Slope and shift (Platt) that turn out-of-fold logits into probabilities.

    Weighted sets and regularisation bend them. Each set would have them bent otherwise: what is promised is what holds
    in the set that bears least, since the next texts may be like the hardest of them.
    """
    from sklearn.linear_model import LogisticRegression

    found = []
    for rows in [*_telling_sets(truth, source), np.ones(len(truth), np.bool_)]:
        v, y = values[rows], truth[rows]
        # On the pairs that anybody sees; in a small set evidence may be more than that share.
        seen = v >= np.sort(v)[-min(len(v), max(int((1 - SEEN) * len(v)), 2 * int(y.sum())))]
        if not y[seen].all():
            platt = LogisticRegression(C=1e6, max_iter=1000).fit(v[seen][:, None], y[seen])
            found.append((float(platt.coef_[0, 0]), float(platt.intercept_[0])))
    if not found:
        raise ConfigurationError("every text of the sets is evidence: how often one is can't be learned from them")
    evidence = values[truth]
    return min(found, key=lambda line: float(np.mean(1 / (1 + np.exp(-(line[0] * evidence + line[1]))))))


def stance(sets: Sequence[Labels], keep: Callable[[int], NDArray[np.bool_]] | None = None) -> dict[str, Any]:
    """`stance` and `stance_rates` of the stored model, from the sets' true evidence."""
    from sklearn.linear_model import LogisticRegression

    marks = []
    for number, labelled in enumerate(sets):
        wanted = labelled.pairs.stances >= 0
        marks.append(wanted if keep is None else wanted & keep(number)[:, None])
    stances = np.concatenate([s.pairs.stances[wanted] for s, wanted in zip(sets, marks, strict=True)])
    claims = np.concatenate([np.nonzero(wanted)[1] for wanted in marks])
    if len(np.unique(stances)) < len(STANCES):  # nothing to tell stances apart by: what was known holds
        known = sets[0].pairs.matcher.model
        return {"stance": rounded(asdict(known.stance)), "stance_rates": dict(known.stance_rates)}
    ids = [claim.claim_id for claim in sets[0].pairs.matcher.claims]
    rates = {claim: stance_rates(stances[claims == j], stances) for j, claim in enumerate(ids)}
    x = np.concatenate([stance_rows(s.pairs, wanted) for s, wanted in zip(sets, marks, strict=True)])
    at_rates = [STANCE_FEATURES.index(name) for name in ("refutes_rate", "updates_rate")]
    x[:, at_rates] = [rates[ids[j]] for j in claims]
    mean, scale = x.mean(axis=0), _spread(x)
    model = LogisticRegression(C=STANCE_REGULARISATION, max_iter=1000, class_weight=STANCE_BALANCE)
    model.fit((x - mean) / scale, stances)
    fitted = {"mean": mean, "scale": scale, "weights": model.coef_.T, "bias": model.intercept_}
    return {"stance": rounded(fitted), "stance_rates": {c: np.round(r, 4).tolist() for c, r in rates.items()}}


def stance_rates(of_claim: NDArray[np.int8], of_all: NDArray[np.int8]) -> NDArray[Any]:
    """log of how much oftener the claim is refuted and updated than claims are; drawn to 0 where labels are few."""
    usual = np.bincount(of_all, minlength=3) / max(len(of_all), 1)
    rate = (np.bincount(of_claim, minlength=3) + RATE_PRIOR * usual) / (len(of_claim) + RATE_PRIOR)
    return np.asarray(np.log(np.maximum(rate, 1e-6) / np.maximum(usual, 1e-6))[1:])


def stance_rows(pairs: Pairs, wanted: NDArray[np.bool_]) -> Matrix:
    """Stance features of some pairs, by the passage whose probe is highest."""
    _, passage = pairs.best(pairs.features[..., FEATURES.index("probe_context")])
    at_pairs = [(int(i), int(j)) for i, j in np.argwhere(wanted)]
    return pairs.matcher.stance_features(pairs.found, [(int(passage[pair]), pair[1]) for pair in at_pairs])


def point(probability: Matrix, truth: NDArray[np.bool_], source: NDArray[np.intp], precision: float) -> dict[str, Any]:
    """The lowest probability at and above which the precision holds in every set that has labels enough to say so: the
    next texts may be like the hardest of them. Never less than `suggested`: of a small clean set even what is surely
    none could be let in without harm to precision.
    """
    lowest = max(_lowest(probability[rows], truth[rows], precision) for rows in _telling_sets(truth, source))
    return at(probability, truth, source, max(lowest, SUGGESTED))


def _lowest(probability: Matrix, truth: NDArray[np.bool_], precision: float) -> float:
    """Of one set; the highest probability of all where the precision never holds."""
    order = np.argsort(-probability, kind="stable")
    running = np.cumsum(truth[order]) / np.arange(1, len(order) + 1)
    good = np.nonzero(running >= precision)[0]
    return float(probability[order][good.max() if len(good) else 0])


def _telling_sets(truth: NDArray[np.bool_], source: NDArray[np.intp]) -> list[NDArray[np.bool_]]:
    """The pairs of each set with OWN_LABELS positives or more; all pairs where no set has."""
    each = [source == number for number in np.unique(source)]
    return [rows for rows in each if truth[rows].sum() >= OWN_LABELS] or [np.ones(len(truth), np.bool_)]


def at(probability: Matrix, truth: NDArray[np.bool_], source: NDArray[np.intp], lowest: float) -> dict[str, Any]:
    """A point with the precision that it has in the worst set, and that set's number of pairs."""
    taken = [(probability >= lowest) & rows for rows in _telling_sets(truth, source)]
    known = [(float(truth[rows].mean()), int(rows.sum())) for rows in taken if rows.any()]
    precision, labels = min(known, default=(0.0, 0))
    return {"probability": round(lowest, 4), "precision": round(precision, 3), "labels": labels}


def harder(own: dict[str, Any], accepted: dict[str, Any]) -> bool:
    """Only a claim that asks for more has a point of its own: with few labels, less may be luck."""
    return bool(own["probability"] > accepted["probability"])


def _spread(x: Matrix) -> Matrix:
    """Standard deviations of the columns; 1 for one that is the same everywhere and says nothing."""
    deviation = x.std(axis=0)
    return np.where(deviation > 1e-4, deviation, np.float32(1))


def rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {key: np.round(np.asarray(value, float), 5).tolist() for key, value in values.items()}
