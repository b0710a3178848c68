"""The settings of a training run in sections: corpora, tokenizers, network, training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seq2seq_cli.config.setting import Section, check_range, setting
from seq2seq_cli.errors import usage_error

CONTEXTS = ("initial", "every-step")
TOKENIZER_KINDS = ("bpe", "word", "char")
TEXT_NORMALIZATIONS = ("typographic", "none")
CRITERIA = ("loss", "bleu", "chrf")
BLEU_TOKENIZERS = ("13a", "intl", "zh", "ja-mecab", "ko-mecab", "char", "flores200", "none")
"""sacreBLEU's own names, the default first."""
DEFAULT_BLEU_TOKENIZER = BLEU_TOKENIZERS[0]

LARGEST_SIZE = 1 << 16
"""Maximum size of a layer: beyond it, a single weight matrix would not fit in memory."""
LARGEST_VOCABULARY = 1 << 20
MAX_TOKENS_PER_BATCH = 1 << 15
"""A training step then takes about 0.6 GB at the default sizes of the network."""
LONGEST_SOURCE = 1000
"""Tokens; far more than a context vector can represent, and far fewer than would fill the memory."""
UNLIMITED_EPOCHS = 1_000_000
"""Number of epochs if steps or minutes are the limit."""
FITTED = "fitted to the corpus"


@dataclass(frozen=True)
class CorpusConfig(Section):
    """The files to read: corpora, and tokenizers or a model that were trained before."""

    panel: ClassVar[str] = "Files"

    corpus: str | None = None
    valid: str | None = setting(None, "Validation pairs.", "CORPUS", shown="a random share of CORPUS")
    test: float = setting(
        0.0,
        "Share of the pairs to hold out for 'seq2seq eval', in NAME.test.tsv beside the model.",
        "X",
        low=0,
        high=1,
        below=True,
        version_2=True,
    )
    source_tokenizer: str | None = setting(
        None, "Source tokenizer, from 'seq2seq tokenizer train'.", "FILE", shown="learned from CORPUS"
    )
    target_tokenizer: str | None = setting(None, "Target tokenizer, likewise.", "FILE", shown="learned from CORPUS")
    start_from: str | None = setting(
        None,
        "Fine-tune this model: its weights, tokenizers, network and settings are the start.",
        "FILE",
        shown="random weights",
        version_2=True,
    )
    swap: bool = setting(
        False,
        "Whether the two sides of every corpus change places: the other direction.",
        shown="no, or as in the model of --start-from",
        version_2=True,
    )


@dataclass(frozen=True)
class TokenizerConfig(Section):
    """How text becomes tokens."""

    panel: ClassVar[str] = "Text"

    kind: str = setting("bpe", "The kind of tokenizer to train", "KIND", choices=TOKENIZER_KINDS, name="tokenizer")
    vocab_size: int = setting(
        2000,
        "Maximum size of each vocabulary, special tokens included.",
        low=4,
        high=LARGEST_VOCABULARY,
        fitted=FITTED,
    )
    lowercase: bool = setting(False, "Whether text is converted to lower case (Turkish dotted capital I becomes i).")
    text_normalization: str = setting(
        "typographic",
        "Whether variants of apostrophes, quotes and spaces become the form that is most frequent in CORPUS",
        "FORM",
        choices=TEXT_NORMALIZATIONS,
    )


@dataclass(frozen=True)
class ModelConfig(Section):
    """The shape of the network. It is stored in the model file, beside the weights.

    ``source_vocabulary`` and ``target_vocabulary`` are the numbers of tokens; 0 until the tokenizers are known.
    """

    panel: ClassVar[str] = "Network"

    source_vocabulary: int = 0
    target_vocabulary: int = 0
    cell: str = setting("lstm", "The recurrent cell", "KIND")
    embedding_size: int = setting(128, "Size of the embeddings, E.", low=1, high=LARGEST_SIZE)
    hidden_size: int = setting(
        256, "Size of the hidden state, H, per direction.", low=1, high=LARGEST_SIZE, fitted=FITTED
    )
    layers: int = setting(1, "Stacked recurrent layers on each side.", low=1, high=64)
    bidirectional: bool = setting(True, "Whether the encoder also reads the source backward.")
    context: str = setting(
        "every-step",
        "Where the decoder gets the context: in its initial state (Sutskever), or also at every step (Cho)",
        "WHERE",
        choices=CONTEXTS,
    )
    pooled_context: bool = setting(
        False,
        "Whether the context of every step also holds the mean of the encoder's outputs over the sentence.",
        version_2=True,
        fitted="yes",
    )
    reverse_source: bool = setting(False, "Whether the source is reversed before it is encoded (Sutskever).")
    dropout: float = setting(
        0.1,
        "Dropout rate on embeddings, between layers and before the output layer.",
        "X",
        low=0,
        high=1,
        below=True,
        fitted=FITTED,
    )
    word_dropout: float = setting(
        0.0,
        "Dropout rate on whole source and target tokens.",
        "X",
        low=0,
        high=1,
        below=True,
        version_2=True,
        fitted=FITTED,
    )
    context_dropout: float = setting(
        0.0,
        "Dropout rate on the context: initial decoder state, context vector.",
        "X",
        low=0,
        high=1,
        below=True,
        version_2=True,
        fitted=FITTED,
    )
    weight_dropout: float = setting(
        0.0,
        "Dropout rate on recurrent weights, one mask per batch (DropConnect).",
        "X",
        low=0,
        high=1,
        below=True,
        version_2=True,
        fitted=FITTED,
    )
    tie_embeddings: bool | None = setting(
        None,
        "Whether the target embedding is also the output layer's weight (Press & Wolf 2017).",
        shown="yes where the sizes agree",
    )
    members: int = setting(
        1,
        "Networks of this shape, trained together; their distributions are averaged (an ensemble in one model).",
        low=1,
        high=16,
        version_2=True,
        fitted=FITTED,
    )
    lexical_prior: bool = setting(
        False,
        "Whether a word-by-word translation table (IBM model 1) is added to the logits.",
        version_2=True,
        fitted="yes",
    )
    bigram_prior: bool = setting(
        False,
        "Whether a table of target bigrams, given the source words, is added to the logits.",
        version_2=True,
        fitted="yes",
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

        if self.pooled_context and self.context != "every-step":
            raise usage_error(
                f"--pooled-context adds to the context of every step, and --context {self.context} has none",
                where="--pooled-context",
                fix="use --no-pooled-context or --context every-step",
            )

    @property
    def directions(self) -> int:
        """2 for a bidirectional encoder, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def context_size(self) -> int:
        """Values of the context vector of every step; 0 if there is none."""
        if self.context != "every-step":
            return 0
        return self.directions * self.hidden_size * (2 if self.pooled_context else 1)


@dataclass(frozen=True)
class TrainingConfig(Section):
    """How a model is trained."""

    panel: ClassVar[str] = "Training"

    epochs: int = setting(
        6,
        "Maximum number of passes over the training pairs.",
        low=1,
        shown="fitted to the corpus; no limit with --max-steps or --max-minutes",
    )
    max_steps: int | None = setting(None, "Maximum number of optimizer steps.", low=1, shown="no limit")
    max_minutes: float | None = setting(
        None,
        "Maximum number of minutes in steps and validations; while the program is stopped, no time passes.",
        "X",
        low=0.001,
        high=1_000_000,
        shown="no limit",
    )
    batch_size: int = setting(32, "Sentence pairs per step.", low=1, high=1 << 16, fitted=FITTED)
    max_tokens_per_batch: int = setting(
        MAX_TOKENS_PER_BATCH,
        "Maximum tokens of both sides per step; limits the memory. Larger batches are split, larger pairs skipped.",
        low=8,
        high=1 << 30,
    )
    max_source_length: int = setting(
        LONGEST_SOURCE, "Maximum source tokens of a pair; longer pairs are skipped.", low=1, high=1 << 20
    )
    optimizer: str = setting("adam", "The optimizer", "NAME")
    learning_rate: float = setting(0.003, "Learning rate at the start.", "X", low=1e-12, high=1000, fitted=FITTED)
    halve_on_plateau: bool = setting(
        True,
        "Whether the learning rate is halved when validation does not improve.",
        version_2=True,
        fitted="no",
    )
    cool_down: float = setting(
        0.7, "Share of the training, at its end, over which the learning rate falls to zero.", "X", low=0, high=1
    )
    clip_norm: float = setting(
        1.0, "Maximum norm of the gradient (Pascanu et al. 2013); 0: no limit.", "X", low=0, high=1_000_000_000
    )
    label_smoothing: float = setting(
        0.1, "Share of the target's probability that is spread over the vocabulary.", "X", low=0, high=1, below=True
    )
    augmentation: float = setting(
        0.0,
        "Synthetic pairs per real pair and epoch, made by exchanging phrase pairs; none in the last fifth of epochs.",
        "X",
        low=0,
        high=10,
        version_2=True,
        fitted=FITTED,
    )
    keep_best: str = setting(
        "loss",
        "Criterion for the best model: validation loss, or BLEU or chrF2 of greedy translations",
        "CRITERION",
        choices=CRITERIA,
        version_2=True,
        fitted="chrf",
    )
    tokenize: str | None = setting(
        None,
        "sacreBLEU's tokenizer for the BLEU of translations",
        "NAME",
        choices=BLEU_TOKENIZERS,
        shown="by the script of the target: 13a, zh, ja-mecab or char",
        version_2=True,
    )
    valid_every: int = setting(
        2000,
        "Validate within an epoch, too, if the last validation was N steps ago; the end of each epoch is validated.",
        low=1,
        version_2=True,
    )
    patience: int = setting(
        5,
        "Stop early after N validations in a row without improvement.",
        low=1,
        fitted="5, or the number of epochs if that is more",
    )
    seed: int = setting(
        1, "Random seed of initial weights, order of batches and dropout masks.", low=0, high=(1 << 63) - 1
    )
