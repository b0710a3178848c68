"""The settings of a training, by what they concern: corpora, tokenizers, network, training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seq2seq_cli.config.setting import Section, check_range, setting
from seq2seq_cli.errors import usage_error

CONTEXTS = ("initial", "every-step")
TOKENIZER_KINDS = ("bpe", "word", "char")
CRITERIA = ("loss", "bleu", "chrf")

LARGEST_SIZE = 1 << 16
"""Upper limit of a layer's size: beyond it one weight matrix alone would not fit in a machine's memory."""
LARGEST_VOCABULARY = 1 << 20
MOST_TOKENS_PER_BATCH = 1 << 15
"""About 0.6 GB of a training step's memory at the default sizes of the network."""
LONGEST_SOURCE = 1000
"""Tokens; far more than one vector can hold, far less than fills the memory."""
UNLIMITED_EPOCHS = 1_000_000
"""In place of a number of epochs where steps or minutes are the limit."""


@dataclass(frozen=True)
class CorpusConfig(Section):
    """What is read: the corpora, and tokenizers that were trained before."""

    panel: ClassVar[str] = "Files"

    corpus: str | None = None
    valid: str | None = setting(None, "Validation pairs.", "CORPUS", shown="a seeded share of CORPUS")
    source_tokenizer: str | None = setting(
        None, "The source's, from 'seq2seq tokenizer train'.", "FILE", shown="learnt from CORPUS"
    )
    target_tokenizer: str | None = setting(None, "The same for the target.", "FILE", shown="learnt from CORPUS")


@dataclass(frozen=True)
class TokenizerConfig(Section):
    """How text becomes tokens."""

    panel: ClassVar[str] = "Text"

    kind: str = setting("bpe", "What to learn", "KIND", choices=TOKENIZER_KINDS, name="tokenizer")
    vocab_size: int = setting(
        2000, "Most entries of each vocabulary, special tokens included.", low=4, high=LARGEST_VOCABULARY
    )
    lowercase: bool = setting(False, "Whether text is folded to lower case.")


@dataclass(frozen=True)
class ModelConfig(Section):
    """The network's shape. Stored in the model file; together with the weights it is the model.

    ``source_vocabulary`` and ``target_vocabulary`` are the numbers of tokens; 0 until the tokenizers are known.
    """

    panel: ClassVar[str] = "The network"

    source_vocabulary: int = 0
    target_vocabulary: int = 0
    cell: str = setting("lstm", "The recurrent cell", "KIND")
    embedding_size: int = setting(128, "Size of a token's vector, E.", low=1, high=LARGEST_SIZE)
    hidden_size: int = setting(256, "Size of the hidden state, H, per direction.", low=1, high=LARGEST_SIZE)
    layers: int = setting(1, "Stacked recurrent layers on each side.", low=1, high=64)
    bidirectional: bool = setting(True, "Whether the encoder also reads the source from its end.")
    context: str = setting(
        "every-step",
        "Where the decoder gets the context: in its initial state (Sutskever), or also at every step (Cho)",
        "WHERE",
        choices=CONTEXTS,
    )
    reverse_source: bool = setting(False, "Whether the encoder reads the source in reverse order (Sutskever).")
    dropout: float = setting(
        0.1, "Dropout rate on embeddings, between layers and before the output layer.", "X", low=0, high=1, below=True
    )
    word_dropout: float = setting(
        0.0,
        "Share of tokens, source and target, that training reads as zeros.",
        "X",
        low=0,
        high=1,
        below=True,
        later=True,
    )
    context_dropout: float = setting(
        0.0,
        "Dropout rate on the context: initial decoder state, context vector.",
        "X",
        low=0,
        high=1,
        below=True,
        later=True,
    )
    weight_dropout: float = setting(
        0.0, "Rate of recurrent weights dropped for a batch (DropConnect).", "X", low=0, high=1, below=True, later=True
    )
    tie_embeddings: bool | None = setting(
        None,
        "Whether the target embedding is also the output layer's weight (Press & Wolf 2017).",
        shown="yes where the sizes agree",
    )
    members: int = setting(
        1,
        "Networks of this shape, trained side by side; their distributions are averaged (an ensemble in one model).",
        low=1,
        high=16,
        later=True,
    )
    lexical_prior: bool = setting(
        False, "Whether a word-by-word translation table (IBM model 1) is added to the logits.", later=True
    )
    bigram_prior: bool = setting(
        False, "Whether a table of what follows the previous target token is added to the logits.", later=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("source_vocabulary", "target_vocabulary"):
            check_range(name.replace("_", " "), getattr(self, name), 0, LARGEST_VOCABULARY)
        sizes_agree = self.context == "every-step" or self.embedding_size == self.hidden_size
        if self.tie_embeddings is None:
            object.__setattr__(self, "tie_embeddings", sizes_agree)
        if self.tie_embeddings and not sizes_agree:
            raise usage_error(
                f"--tie-embeddings with --context initial needs equal sizes, not --embedding-size "
                f"{self.embedding_size} and --hidden-size {self.hidden_size}",
                where="--tie-embeddings",
                fix="make the two sizes equal, or use --no-tie-embeddings or --context every-step",
            )

    @property
    def directions(self) -> int:
        """2 for a bidirectional encoder, else 1."""
        return 2 if self.bidirectional else 1


@dataclass(frozen=True)
class TrainingConfig(Section):
    """How a model is trained."""

    panel: ClassVar[str] = "Training"

    epochs: int = setting(
        6,
        "Maximum number of passes over the training pairs.",
        low=1,
        shown="6, more for a small corpus; no limit if there is another",
    )
    max_steps: int | None = setting(None, "Maximum number of optimizer steps.", low=1, shown="no limit")
    max_minutes: float | None = setting(
        None, "Maximum number of minutes.", "X", low=0.001, high=1_000_000, shown="no limit"
    )
    batch_size: int = setting(32, "Sentence pairs per step.", low=1, high=1 << 16)
    max_tokens_per_batch: int = setting(
        MOST_TOKENS_PER_BATCH,
        "Most tokens of both sides per step; it bounds the memory. A larger batch is split, a larger pair skipped.",
        low=8,
        high=1 << 30,
    )
    max_source_length: int = setting(
        LONGEST_SOURCE, "Most source tokens of a pair; pairs with more are skipped.", low=1, high=1 << 20
    )
    optimizer: str = setting("adam", "The optimizer", "NAME")
    learning_rate: float = setting(
        0.003,
        "Learning rate at the start.",
        "X",
        low=1e-12,
        high=1000,
    )
    halve_on_plateau: bool = setting(
        True, "Whether the learning rate is halved when validation does not improve.", later=True
    )
    cool_down: float = setting(
        0.7, "Last share of the training, over which the learning rate falls to zero.", "X", low=0, high=1
    )
    clip_norm: float = setting(
        1.0, "Largest norm of the gradient (Pascanu et al. 2013); 0: no limit.", "X", low=0, high=1_000_000_000
    )
    label_smoothing: float = setting(
        0.1, "Share of the target's probability spread over the vocabulary.", "X", low=0, high=1, below=True
    )
    augmentation: float = setting(
        0.0,
        "Synthetic pairs per real pair and epoch, made by exchanging phrase pairs; the last fifth is without; 0: none.",
        "X",
        low=0,
        high=10,
        later=True,
    )
    keep_best: str = setting(
        "loss",
        "What decides which validation's model is kept: its loss, or BLEU or chrF2 of its greedy translations",
        "CRITERION",
        choices=CRITERIA,
        later=True,
    )
    patience: int = setting(
        5, "Stop after so many validations in a row without a better one, against overfitting.", low=1
    )
    seed: int = setting(
        1, "Decides the initial weights, the order of the batches and the dropout masks.", low=0, high=(1 << 63) - 1
    )
