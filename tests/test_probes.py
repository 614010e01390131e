"""Probes: what tells a claim's wordings from their near-misses, on made-up clouds of points."""

from __future__ import annotations

import numpy as np
import pytest
from small_claims import VECTORS

from pipeline.logic import probes

SIZE = 24


def cloud(random: np.random.Generator, centre: np.ndarray, count: int) -> np.ndarray:
    return (centre + 0.3 * random.normal(size=(count, SIZE))).astype(np.float32)


class World:
    """Three claims with wordings and decoys that lie near them, decoys of all, and ordinary news."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.centres = self.random.normal(size=(3, SIZE))
        self.aside = 0.8 * self.random.normal(size=(3, SIZE))
        wordings = [cloud(self.random, c, 30) for c in self.centres]
        decoys = [cloud(self.random, c + a, 15) for c, a in zip(self.centres, self.aside, strict=True)]
        common, news = cloud(self.random, self.centres.mean(axis=0), 10), cloud(self.random, np.zeros(SIZE), 40)
        self.texts = np.concatenate([*wordings, *decoys, common, news])
        self.owner = np.repeat([0, 1, 2, -1], [30, 30, 30, 45 + 50])
        self.decoy_of = np.repeat([-1, 0, 1, 2, -2, -1], [90, 15, 15, 15, 10, 40])

    def fit(self, examples: np.ndarray | None = None, labels: list[list[int]] | None = None) -> probes.Probes:
        texts = self.texts if examples is None else np.concatenate([self.texts, examples])
        given = None if labels is None else np.array(labels, np.int8)
        return probes.fit(texts, self.owner, self.decoy_of, 3, given)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_own_wordings_have_one_on_average_and_near_misses_little(world: World) -> None:
    values = world.fit().values(world.texts)
    assert values.dtype == np.float32
    for j in range(3):
        assert values[world.owner == j, j].mean() == pytest.approx(1, abs=1e-3)
        others = (world.owner != j) & (world.decoy_of != j)
        assert values[world.decoy_of == j, j].mean() < 0.5
        assert abs(values[others, j].mean()) < 0.3
        # It is not only the averages: hardly a wording lies below a decoy.
        assert np.quantile(values[world.owner == j, j], 0.1) > np.quantile(values[world.decoy_of == j, j], 0.9)


def test_new_texts_are_told_apart_too(world: World) -> None:
    fitted = world.fit()
    for j in range(3):
        new = fitted.values(cloud(world.random, world.centres[j], 50))
        assert (new.argmax(axis=1) == j).mean() > 0.95
        aside = fitted.values(cloud(world.random, world.centres[j] + world.aside[j], 50))[:, j]
        assert new[:, j].mean() > aside.mean() + 0.3


def test_values_do_not_depend_on_company_nor_on_where_the_origin_lies(world: World) -> None:
    fitted = world.fit()
    values = fitted.values(world.texts)
    assert fitted.values(world.texts[5:6]) == pytest.approx(values[5:6], abs=1e-4)
    moved = World()
    moved.texts = moved.texts + np.float32(3)
    assert moved.fit().values(moved.texts) == pytest.approx(values, abs=0.02)


def test_an_example_moves_the_probe_towards_it(world: World) -> None:
    example = cloud(np.random.default_rng(5), 0.2 * world.centres[0] + np.random.default_rng(6).normal(size=SIZE), 1)
    before = world.fit().values(example)[0]

    def after(labels: list[int], times: int = 1) -> np.ndarray:
        return world.fit(np.repeat(example, times, axis=0), [labels] * times).values(example)[0]

    assert after([1, -1, -1])[0] > before[0] + 0.005
    assert after([1, -1, -1], 20)[0] > after([1, -1, -1])[0]
    assert after([0, -1, -1], 20)[0] < before[0]
    assert after([-1, -1, -1]) == pytest.approx(before, abs=1e-4), "what nobody knows teaches nothing"
    assert after([1, -1, -1])[1:] == pytest.approx(before[1:], abs=0.1)


def test_a_decoy_of_its_own_weighs_more_than_ordinary_news() -> None:
    place = World().centres[0] + World().aside[2]

    def value(decoy_of: int) -> float:
        world = World()
        added = cloud(np.random.default_rng(9), place, 20)
        world.texts = np.concatenate([world.texts, added])
        world.owner = np.append(world.owner, np.full(20, -1))
        world.decoy_of = np.append(world.decoy_of, np.full(20, decoy_of))
        return float(world.fit().values(place[None].astype(np.float32))[0, 0])

    assert value(0) < value(-1)
    assert value(-2) < value(-1)


def test_a_thousand_claims() -> None:
    random = np.random.default_rng(2)
    centres = random.normal(size=(1000, SIZE))
    texts = np.concatenate([cloud(random, c, 3) for c in centres])
    fitted = probes.fit(texts, np.repeat(np.arange(1000), 3), np.full(3000, -1), 1000)
    values = fitted.values(centres[:200].astype(np.float32))
    assert values.shape == (200, 1000)
    assert (values.argmax(axis=1) == np.arange(200)).mean() > 0.9


def test_one_wording_alone_says_nothing() -> None:
    text = np.ones((1, SIZE), np.float32)
    fitted = probes.fit(text, np.array([0]), np.array([-1]), 1)
    assert fitted.values(np.concatenate([text, -text])) == pytest.approx(np.zeros((2, 1)))


def test_contrast(world: World) -> None:
    first = np.arange(60) < 30
    fitted = probes.contrast(world.texts[:60], first)
    values = fitted.values(world.texts[:60])[:, 0]
    assert values[first].mean() == pytest.approx(1, abs=1e-3)
    assert values[~first].mean() == pytest.approx(0, abs=1e-3)
    assert values[first].min() > values[~first].max()


@pytest.mark.parametrize("first", [np.zeros(60, bool), np.ones(60, bool)])
def test_contrast_without_texts_on_a_side(world: World, first: np.ndarray) -> None:
    assert not probes.contrast(world.texts[:60], first).values(world.texts).any()


def test_the_space_of_vectors_and_concepts() -> None:
    vectors = np.stack(list(VECTORS.values()))
    space = probes.Space.of(vectors)
    hits = np.zeros((len(vectors), 2), np.float32)
    hits[0, 1] = 1
    joined = space.join(vectors, hits)
    assert joined.shape == (len(vectors), vectors.shape[1] + 2)
    assert joined[:, :-2].mean(axis=0) == pytest.approx(np.zeros(vectors.shape[1]), abs=1e-5)
    assert (joined[:, :-2] ** 2).sum(axis=1).mean() == pytest.approx(1, abs=1e-4)
    assert joined[0, -2:].tolist() == pytest.approx([0, probes.CONCEPT_WEIGHT])
    # Encoders whose vectors lie in a narrow cone come out the same.
    narrow = 0.1 * vectors + 5
    assert probes.Space.of(narrow).join(narrow, hits) == pytest.approx(joined, abs=1e-3)
    # Vectors that are all one have no spread to divide by.
    assert np.isfinite(probes.Space.of(vectors[:1]).join(vectors[:1], hits[:1])).all()
