"""Every setting, with its default, its limits and its help, in frozen dataclasses.

A section (``ModelConfig``, ``TrainingConfig``, …) checks itself when it is created, so an invalid setting is reported
before any work starts. A ``Recipe`` holds all sections of a training run. A setting is one field: its flag on the
command line, its help, its key in a TOML file and its entry in the model file are derived from it.
"""

from seq2seq_cli.config.recipe import Recipe, check_settings, parse_toml, setting_types, to_toml
from seq2seq_cli.config.search import LONGEST_NUMBER, MAX_BEAM, NORMALIZATIONS, LengthLimit, SearchConfig, length_limit
from seq2seq_cli.config.sections import (
    BLEU_TOKENIZERS,
    CONTEXTS,
    CRITERIA,
    DEFAULT_BLEU_TOKENIZER,
    LARGEST_VOCABULARY,
    LONGEST_SOURCE,
    MAX_TOKENS_PER_BATCH,
    TEXT_NORMALIZATIONS,
    TOKENIZER_KINDS,
    UNLIMITED_EPOCHS,
    CorpusConfig,
    ModelConfig,
    TokenizerConfig,
    TrainingConfig,
)
from seq2seq_cli.config.setting import Section, UnknownSettingError, config_from_json, flag_of, settings_in, type_of

__all__ = [
    "BLEU_TOKENIZERS",
    "CONTEXTS",
    "CRITERIA",
    "DEFAULT_BLEU_TOKENIZER",
    "LARGEST_VOCABULARY",
    "LONGEST_NUMBER",
    "LONGEST_SOURCE",
    "MAX_BEAM",
    "MAX_TOKENS_PER_BATCH",
    "NORMALIZATIONS",
    "TEXT_NORMALIZATIONS",
    "TOKENIZER_KINDS",
    "UNLIMITED_EPOCHS",
    "CorpusConfig",
    "LengthLimit",
    "ModelConfig",
    "Recipe",
    "SearchConfig",
    "Section",
    "TokenizerConfig",
    "TrainingConfig",
    "UnknownSettingError",
    "check_settings",
    "config_from_json",
    "flag_of",
    "length_limit",
    "parse_toml",
    "setting_types",
    "settings_in",
    "to_toml",
    "type_of",
]
