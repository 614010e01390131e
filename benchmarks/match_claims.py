"""What bench-match matches: many made-up claims beside the real ones, and vectors that no model has to make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from stream_feeds import StreamItem

from pipeline.adapters.encoder import Encoder
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.logic import claimsfile
from pipeline.logic.claimsfile import Claim
from pipeline.logic.matching import Passage
from pipeline.logic.text import line, paragraphs
from pipeline.settings import package_data, root
from pipeline.stages import materials
from pipeline.stages.materials import Materials

WORDINGS = 12  # of a made-up claim; the real ones have some 150 in seven languages
DECOYS = 4
NOISE = 0.5  # length of the noise added to a vector of length 1: cosine 0.9 to where it came from, like a paraphrase
PLACES: dict[str, tuple[str, ...]] = {
    "Poland": ("poland*", "polish", "폴란드", "польш*", "pologne", "ポーランド"),
    "Belarus": ("belarus*", "벨라루스", "белорус*", "biélorussie", "ベラルーシ"),
    "China": ("china*", "chinese", "중국", "кита*", "chine", "中国"),
    "Japan": ("japan*", "일본", "япон*", "japon", "日本"),
    "Iran": ("iran*", "이란", "иран*", "イラン"),
    "Israel": ("israel*", "이스라엘", "израил*", "イスラエル"),
    "the United States": ("united states", "american*", "미국", "сша", "états-unis", "米国"),
    "France": ("france*", "french", "프랑스", "франц*", "フランス"),
    "Germany": ("german*", "독일", "герман*", "allemagne", "ドイツ"),
    "India": ("india*", "인도", "инди*", "inde", "インド"),
    "Ukraine": ("ukrain*", "우크라이나", "украин*", "ウクライナ"),
    "Russia": ("russia*", "러시아", "росси*", "russie", "ロシア"),
    "South Korea": ("south korea*", "한국", "южн* коре*", "corée du sud", "韓国"),
    "Vietnam": ("vietnam*", "베트남", "вьетнам*", "ベトナム"),
    "Türkiye": ("turk*", "튀르키예", "турц*", "turquie", "トルコ"),
    "Britain": ("britain*", "british", "영국", "британ*", "royaume-uni", "英国"),
}
ACTORS: dict[str, tuple[str, ...]] = {
    "president": ("president*", "대통령", "президент*", "président*", "大統領"),
    "army": ("army", "military", "군대", "арми*", "armée", "軍隊"),
    "navy": ("navy", "naval", "해군", "флот*", "marine", "海軍"),
    "police": ("police", "경찰", "полици*", "警察"),
    "foreign minister": ("foreign minister*", "외교부 장관", "외무상", "министр* иностранных дел", "外相"),
    "central bank": ("central bank*", "중앙은행", "центральн* банк*", "banque centrale", "中央銀行"),
    "parliament": ("parliament*", "국회", "парламент*", "parlement*", "国会"),
    "carmakers": ("carmaker*", "자동차", "автопроизводител*", "自動車"),
}
SUFFIXES = (
    "",
    " again",
    " this year",
    " near the border",
    ", officials say",
    ", a witness says",
    " for the first time",
)


def made_of() -> Materials:
    return materials.of_model(package_data("matcher.json"))


def real_claims() -> list[Claim]:
    file = root() / "claims" / "nk-russia.yaml"
    return list(claimsfile.parse(file.read_text(encoding="utf-8"), str(file)).claims)


def many_claims(real: Sequence[Claim], count: int) -> list[Claim]:
    """The real claims and made-up ones: a place, an actor, an action, often another place; seeded.

    What is done to whom are the real claims' concepts recombined, in all their languages, so that terms are as many and
    as long as real ones. No two claims have the same wording.
    """
    generator = np.random.default_rng(17)
    actions = {name: terms for claim in real for group in claim.groups.values() for name, terms in group.items()}
    frames = list(product(PLACES, ACTORS, sorted(actions)))
    made = list(real[:count])
    for k in generator.permutation(len(frames))[: count - len(made)]:
        place, actor, action = frames[k]
        other = list(PLACES)[generator.integers(len(PLACES))]
        statement = f"The {actor} of {place}: {action.replace('-', ' ')}, {other}"
        groups = {"who": {place: PLACES[place]}, "actor": {actor: ACTORS[actor]}, "did": {action: actions[action]}}
        if generator.random() < 0.5:
            groups["where"] = {other: PLACES[other]}
        wordings = [f"{statement}{SUFFIXES[i % len(SUFFIXES)]} ({i})." for i in range(1, WORDINGS)]
        decoys = [f"No {action.replace('-', ' ')} by the {actor} of {place} in {other} ({i})." for i in range(DECOYS)]
        made.append(
            Claim(
                f"made-up-{len(made)}",
                f"{statement}.",
                phrasings=tuple(("en", text) for text in wordings),
                refutations=(),
                updates=(),
                decoys=tuple(("en", text) for text in decoys),
                topic_decoys=real[0].topic_decoys,
                groups=groups,
                cues=real[0].cues,
            )
        )
    if len(made) < count:
        raise SystemExit(f"{len(made)} claims are the most that can be made up")
    return made


class StandIn:
    """An Encoder without a model: each text gets some real vector with noise, always the same for the same text."""

    def __init__(self, real: Encoder, pool: np.ndarray) -> None:
        self.name, self.weights_hash = real.name, real.weights_hash
        self.dimensions = pool.shape[1]
        self._pool = pool
        self.made = 0  # texts "encoded"

    def encode(self, texts: list[str]) -> np.ndarray:
        self.made += len(texts)
        seeds = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
        rows = [self._vector(int.from_bytes(seed)) for seed in seeds]
        return np.array(rows, np.float32).reshape(-1, self.dimensions)

    def _vector(self, seed: int) -> np.ndarray:
        generator = np.random.default_rng(seed)
        noise = generator.standard_normal(self.dimensions, np.float32)
        vector = self._pool[generator.integers(len(self._pool))] + NOISE * noise / np.linalg.norm(noise)
        return vector / np.linalg.norm(vector)


def perturbed(pool: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """So many vectors made of the pool's, all at once; half precision."""
    noise = generator.standard_normal((count, pool.shape[1]), np.float32)
    noise *= NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    noise += pool[generator.integers(0, len(pool), count)]
    return (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float16)


def real_vectors(real: Sequence[Claim], encoder: CachedEncoder) -> dict[str, np.ndarray]:
    """Vectors of the real claims' texts: the pool of which all others are made."""
    texts = made_of().texts(real)
    return dict(zip(texts, encoder.encode(texts), strict=True))


def passages(items: Sequence[StreamItem], vectors: StandIn) -> tuple[list[Passage], list[int]]:
    """Titles and paragraphs as the pipeline cuts them, and the item of each."""
    found: list[tuple[str, str, str, int]] = []
    for number, item in enumerate(items):
        title = line(item.title)
        texts = [text for text in (title, *paragraphs(item.text)) if text]
        found += [(text, title, "\n".join(texts), number) for text in texts]
    stacked = vectors.encode([text for text, *_ in found])
    made = [Passage(*known[:2], vector, known[2]) for known, vector in zip(found, stacked, strict=True)]
    return made, [number for *_, number in found]


def lookup(texts: Sequence[str], known: Mapping[str, np.ndarray], vectors: StandIn) -> dict[str, np.ndarray]:
    """Vectors of a Matcher's phrases: the real ones, stand-ins for the rest."""
    new = [text for text in texts if text not in known]
    return {**known, **dict(zip(new, vectors.encode(new), strict=True))}
