"""A whole model in one ``.npz`` file: weights, settings, both tokenizers and the history of its training.

====================  ================================================================================================
member                content
====================  ================================================================================================
``format``            JSON ``{"name": "seq2seq model", "version": 1}``, or version 2 of a model with a later setting,
                      such as a lexical prior, or version 3 of a model with text normalization
``config``            JSON ``{"model": …, "training": …, "text": …, "corpus": …}``: all settings; ``seen`` (which may
                      be missing): words and style of the training sources, tokens of the longest; ``origin`` (may
                      be missing): program version, date and training pairs; ``start_from``, ``swap``, ``test``, if set
``tokenizer.source``  JSON, as ``seq2seq tokenizer train`` writes it; ``tokenizer.target`` too
``history``           JSON list of the validations so far
``checksums``         JSON, the CRC-32 of every other member's content by name; a file made by hand may lack it
``encoder.…``         float32 arrays, under the names of ``nn.parameters.parameter_shapes``; where the embedding is
                      tied, ``decoder.fc_out.weight`` is there as well: the arrays load into ``torch.nn`` modules
``lexicon.indices``   with a lexical prior: int32 (V_source, K), the K target tokens that translate each source token
                      most probably; ``lexicon.values``, float32, are their probabilities
``lexicon.reverse_…`` the same two of the reverse table, (V_target, K'); both may be missing
``bigrams.triples``   with a bigram prior: int32 (M, 3), each a source token, a target token, the target token after it,
                      in ascending order; ``bigrams.counts``, int32 (M, 1), says how often each occurs
====================  ================================================================================================

A training state, ``NAME.state.npz``, has the same members for the latest weights, and ``state`` (JSON) and
``optimizer.…`` arrays besides.

Nothing in a file is trusted: the members' names, types, shapes and sizes are checked against the configuration before
memory is allocated for them (see ``archive``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import (
    CorpusConfig,
    ModelConfig,
    Recipe,
    TokenizerConfig,
    TrainingConfig,
    UnknownSettingError,
    config_from_json,
)
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.nn.functional import Array
from seq2seq_cli.nn.lexical_prior import Lexicon, entries
from seq2seq_cli.nn.members import build_model
from seq2seq_cli.nn.model import Seq2Seq, Tables
from seq2seq_cli.nn.optimizers import find_optimizer
from seq2seq_cli.nn.parameters import Parameters, parameter_shapes
from seq2seq_cli.storage.archive import LARGEST_TEXT, Archive, json_member, write_archive
from seq2seq_cli.storage.file_format import (
    MODEL_FORMAT,
    STATE_FORMAT,
    check_format,
    format_name,
    later_version,
)
from seq2seq_cli.storage.origin import Origin
from seq2seq_cli.text.builtin import BUILTIN, SWAPPED
from seq2seq_cli.text.tokenizer import Tokenizer
from seq2seq_cli.text.tokenizer_file import tokenizer_from_json
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary

LARGEST_HISTORY = 64 << 20
LARGEST_CONFIG = 64 << 20
"""It includes the words of the training sources: at most ``training_vocabulary.MAX_WORDS``, 4 bytes a character."""
LARGEST_ENTRY = 1 << 13
"""Bytes of a tokenizer's JSON for each entry of its vocabulary: its text and a merge, all characters escaped."""
LARGEST_PARAMETERS = 2 << 30
"""Most parameters of a model that will be loaded: 8 GiB of float32."""
CORPUS_SETTINGS = ("start_from", "swap", "test")
"""Later settings of the corpora."""
TIED_COPY = "decoder.fc_out.weight"
LEXICON, REVERSE_LEXICON = "lexicon.", "lexicon.reverse_"
BIGRAMS = "bigrams.triples", "bigrams.counts"


@dataclass
class Checkpoint:
    """A model with its tokenizers, settings and history.

    Args:
        model: network and weights.
        source_tokenizer, target_tokenizer: of the two languages.
        recipe: all settings it was trained with; the corpus is named as the user named it.
        history: one record per validation, with the keys of the metrics log.
        training_vocabulary: the words and the style of the training sources, and the length of the longest.
        origin: the program's version, the date and the number of training pairs.
    """

    model: Seq2Seq
    source_tokenizer: Tokenizer
    target_tokenizer: Tokenizer
    recipe: Recipe
    history: list[dict[str, Any]] = field(default_factory=list)
    training_vocabulary: TrainingVocabulary = field(default_factory=TrainingVocabulary)
    origin: Origin = field(default_factory=Origin)

    @property
    def corpus(self) -> str:
        """What it was trained on: the name that a user gave, or ``BUILTIN``."""
        return BUILTIN if self.recipe.corpora.corpus is None else self.recipe.corpora.corpus

    @property
    def trained_on(self) -> str:
        """The corpus, and whether its sides were swapped."""
        return self.corpus + SWAPPED * self.recipe.corpora.swap

    def measured(self, key: str) -> list[float]:
        """Return one number of each validation, such as ``valid_bleu``; invalid records of a file are skipped."""
        return [float(record[key]) for record in self.history if is_number(record.get(key))]


@dataclass
class TrainingState:
    """What a resumed training needs besides the latest weights.

    Args:
        moments: the optimizer's vectors, by name.
        progress: everything else, as JSON values.
    """

    moments: dict[str, Array]
    progress: dict[str, Any]


def is_number(value: Any) -> bool:
    """Whether a value from a file is a number, and one that a float can hold."""
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # JSON's whole numbers have no limit
        return False


def save_model(path: Path, checkpoint: Checkpoint) -> None:
    """Write a model file, whole or not at all (see ``files.atomic_file``)."""
    write_archive(path, _members(checkpoint, MODEL_FORMAT))


def save_state(path: Path, checkpoint: Checkpoint, state: TrainingState) -> None:
    """Write a training state, whole or not at all."""
    members = _members(checkpoint, STATE_FORMAT)
    members["state"] = json_member(state.progress)
    members |= {f"optimizer.{name}": vector for name, vector in state.moments.items()}
    write_archive(path, members)


def load_model(path: Path) -> Checkpoint:
    """Read a model file.

    Raises:
        UserError: if the file is not there, is not a model, is damaged, or is of a newer version.
    """
    with Archive(path) as archive:
        return _read_checkpoint(archive, MODEL_FORMAT)


def load_state(path: Path) -> tuple[Checkpoint, TrainingState]:
    """Read a training state; errors as for ``load_model``."""
    with Archive(path) as archive:
        return _read_state(archive)


def load_either(path: Path) -> tuple[Checkpoint, str, int]:
    """Read a model file or a training state, whatever its name; errors as for ``load_model``.

    Returns:
        What it holds, the name of its format, and its size in bytes.
    """
    with Archive(path) as archive:
        if format_name(archive) == STATE_FORMAT:
            return _read_state(archive)[0], STATE_FORMAT, archive.size
        return _read_checkpoint(archive, MODEL_FORMAT), MODEL_FORMAT, archive.size


def _members(checkpoint: Checkpoint, format_name: str) -> dict[str, npt.NDArray[Any]]:
    model, recipe = checkpoint.model, checkpoint.recipe
    tokenizers = checkpoint.source_tokenizer, checkpoint.target_tokenizer
    normalizes = recipe.tokenizers.text_normalization != "none" or any(each.normalizer for each in tokenizers)
    settings: dict[str, Any] = {
        "model": model.config.to_json(),
        "training": recipe.training.to_json(),
        "corpus": checkpoint.corpus,
        "text": {
            "tokenizer": recipe.tokenizers.kind,
            "vocab_size": recipe.tokenizers.vocab_size,
            "lowercase": recipe.tokenizers.lowercase,
            **({"text_normalization": recipe.tokenizers.text_normalization} if normalizes else {}),
            "source_tokenizer": recipe.corpora.source_tokenizer,
            "target_tokenizer": recipe.corpora.target_tokenizer,
        },
        "seen": checkpoint.training_vocabulary.to_json(),
        "origin": checkpoint.origin.to_json(),
        "valid": recipe.corpora.valid,
        **{name: value for name, value in recipe.corpora.to_json().items() if name in CORPUS_SETTINGS},
        "threads": recipe.threads,
    }
    version_2 = any(section.uses_version_2() for section in (model.config, recipe.training, recipe.corpora))
    members: dict[str, npt.NDArray[Any]] = {
        "format": json_member({"name": format_name, "version": 3 if normalizes else 2 if version_2 else 1}),
        "config": json_member(settings),
        "tokenizer.source": json_member(checkpoint.source_tokenizer.to_json()),
        "tokenizer.target": json_member(checkpoint.target_tokenizer.to_json()),
        "history": json_member(checkpoint.history),
        **model.parameters,
    }
    if model.config.tie_embeddings:
        members[TIED_COPY] = model.parameters[model.output_name]
    for prefix, lexicon in ((LEXICON, model.tables.lexicon), (REVERSE_LEXICON, model.tables.reverse_lexicon)):
        if lexicon is not None:
            members |= {f"{prefix}indices": lexicon.indices, f"{prefix}values": lexicon.values}
    if model.tables.bigrams is not None:
        members |= dict(zip(BIGRAMS, (model.tables.bigrams.triples, model.tables.bigrams.counts[:, None])))
    return members


def _read_state(archive: Archive) -> tuple[Checkpoint, TrainingState]:
    checkpoint = _read_checkpoint(archive, STATE_FORMAT)
    progress = archive.json("state")
    if not isinstance(progress, dict):
        raise archive.damaged("'state' is not a JSON object")
    size = len(checkpoint.model.parameters.flat)
    names = find_optimizer(checkpoint.recipe.training.optimizer).moment_names
    vectors = {name: archive.array(f"optimizer.{name}", (size,)) for name in names}
    return checkpoint, TrainingState(vectors, progress)


def _read_checkpoint(archive: Archive, format_name: str) -> Checkpoint:
    """Return the checkpoint; the members of its format must be there, and no others."""
    check_format(archive, format_name)
    config = archive.json("config", LARGEST_CONFIG)
    try:
        recipe = _recipe_from_json(config)
        moments = {f"optimizer.{name}" for name in find_optimizer(recipe.training.optimizer).moment_names}
        known = TrainingVocabulary.from_json(config["seen"]) if "seen" in config else TrainingVocabulary()
        model_config = recipe.model
        shapes = parameter_shapes(model_config)
    except (TypeError, KeyError, ValueError, UserError) as error:
        what, origin = getattr(error, "what", error), Origin.of(config)
        if origin.is_later or isinstance(error, UnknownSettingError):
            raise later_version(archive, origin, str(what)) from None
        raise archive.damaged(f"its configuration is not valid: {what}") from None
    origin = Origin.of(config)
    arrays = dict(shapes)
    if model_config.tie_embeddings:
        arrays[TIED_COPY] = shapes["decoder.embedding.weight"]
    tables = _lexicon_sizes(model_config, archive.names)
    for prefix, (given, predicted) in tables.items():
        arrays |= dict.fromkeys((f"{prefix}indices", f"{prefix}values"), (given, entries(predicted)))
    others = {"state", *moments} if format_name == STATE_FORMAT else set()
    if model_config.bigram_prior:
        others |= {*BIGRAMS}
    names = {"format", "config", "tokenizer.source", "tokenizer.target", "history", *arrays, *others}
    if origin.is_later and archive.names != names:
        raise later_version(archive, origin, f"{min(archive.names ^ names)!r} is not what it expects")
    archive.check_names(names)
    if sum(math.prod(shape) for shape in shapes.values()) > LARGEST_PARAMETERS:
        raise archive.damaged(f"its configuration declares more than {LARGEST_PARAMETERS} parameters")
    for name, shape in arrays.items():
        archive.check_size(name, 4 * math.prod(shape))
    source = _read_tokenizer(archive, "source", model_config.source_vocabulary)
    target = _read_tokenizer(archive, "target", model_config.target_vocabulary)
    history = archive.json("history", LARGEST_HISTORY)
    if not isinstance(history, list) or not all(isinstance(record, dict) for record in history):
        raise archive.damaged("'history' is not a list of records")
    parameters = Parameters(shapes)
    for name, shape in shapes.items():
        parameters[name][...] = archive.array(name, shape)
    if model_config.tie_embeddings:
        copy = archive.array(TIED_COPY, arrays[TIED_COPY])
        if not np.array_equal(copy, parameters["decoder.embedding.weight"]):
            raise archive.damaged(f"'{TIED_COPY}' is not the tied embedding's copy")
    lexicons = {prefix: _read_lexicon(archive, prefix, *sizes) for prefix, sizes in tables.items()}
    bigrams = _read_bigrams(archive, model_config) if model_config.bigram_prior else None
    model = build_model(model_config, parameters, Tables(lexicons.get(LEXICON), lexicons.get(REVERSE_LEXICON), bigrams))
    return Checkpoint(model, source, target, recipe, history, known, origin)


def _lexicon_sizes(config: ModelConfig, names: set[str]) -> dict[str, tuple[int, int]]:
    """Return for each lexical table that a file must have the sizes of both vocabularies, by the prefix of its members.

    A file that has no part of the reverse table need not have it.
    """
    sizes = (config.source_vocabulary, config.target_vocabulary)
    tables = {LEXICON: sizes, REVERSE_LEXICON: sizes[::-1]} if config.lexical_prior else {}
    if not any(name.startswith(REVERSE_LEXICON) for name in names):
        tables.pop(REVERSE_LEXICON, None)
    return tables


def _read_lexicon(archive: Archive, prefix: str, given: int, predicted: int) -> Lexicon:
    """Return a lexical table, every value checked."""
    shape = (given, entries(predicted))
    indices = archive.indices(f"{prefix}indices", shape, predicted)
    values = archive.array(f"{prefix}values", shape)
    if values.size and not 0 <= values.min() <= values.max() <= 1:
        raise archive.damaged(f"'{prefix}values' holds values that are not probabilities")
    return Lexicon(indices, values, predicted)


def _read_bigrams(archive: Archive, config: ModelConfig) -> BigramTable:
    """Return the table of a bigram prior, every value checked; its length is in the file."""
    triples, counts = (archive.table(name, columns) for name, columns in zip(BIGRAMS, (3, 1)))
    vocabularies = (config.source_vocabulary, config.target_vocabulary, config.target_vocabulary)
    if len(triples) != len(counts) or (counts < 1).any() or (triples < 0).any() or (triples >= vocabularies).any():
        raise archive.damaged(f"'{BIGRAMS[0]}' or '{BIGRAMS[1]}' holds invalid values")
    order = np.lexsort(triples.T[::-1])
    if (order != np.arange(len(triples))).any() or (triples[1:] == triples[:-1]).all(axis=1).any():
        raise archive.damaged(f"'{BIGRAMS[0]}' is not in ascending order")
    return BigramTable(triples, counts[:, 0], config.target_vocabulary)


def _recipe_from_json(config: dict[str, Any]) -> Recipe:
    """Return the recipe in a file's configuration; settings missing in older files have their defaults."""
    text, corpus, threads = dict(config["text"]), str(config["corpus"]), config.get("threads")
    files = {name: text.pop(f"{name}_tokenizer", None) for name in ("source", "target")}
    text.setdefault("text_normalization", "none")  # files of earlier versions
    if "tokenizer" in text:
        text["kind"] = text.pop("tokenizer")
    corpora = {
        "corpus": None if corpus == BUILTIN else corpus,
        "valid": config.get("valid"),
        "source_tokenizer": files["source"],
        "target_tokenizer": files["target"],
        **{name: config[name] for name in CORPUS_SETTINGS if name in config},
    }
    return Recipe(
        config_from_json(CorpusConfig, corpora),
        config_from_json(TokenizerConfig, text),
        config_from_json(ModelConfig, config["model"]),
        config_from_json(TrainingConfig, config["training"]),
        threads if isinstance(threads, int) else None,
    )


def _read_tokenizer(archive: Archive, side: str, entries: int) -> Tokenizer:
    member = f"tokenizer.{side}"
    value = archive.json(member, LARGEST_TEXT + LARGEST_ENTRY * entries)
    tokenizer = tokenizer_from_json(value, f"{archive.path}, {member}")
    if len(tokenizer) != entries:
        raise archive.damaged(f"its {side} tokenizer and its configuration have different vocabulary sizes")
    return tokenizer
