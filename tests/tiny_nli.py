"""A random cross-encoder of some thousand weights, in the form in which entailment models come."""

from __future__ import annotations

from pathlib import Path

WORDS = [
    "soldiers",
    "were",
    "killed",
    "near",
    "the",
    "village",
    "nobody",
    "was",
    "hurt",
    "there",
    "rain",
    "fell",
    "all",
    "day",
]


def tiny_nli(home: Path, labels: list[str], leaning: str = "") -> Path:
    """Saves one whose outputs have these labels, in this order; its folder. It always says `leaning`, where given."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = home / "-".join([*labels, leaning])
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=64,
        initializer_range=1.0,  # so that texts, and not the biases, decide
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    torch.manual_seed(7)
    model = BertForSequenceClassification(config)
    if leaning:
        with torch.no_grad():
            model.classifier.bias[labels.index(leaning)] += 20
    model.save_pretrained(folder)
    return folder
