import math
from dataclasses import asdict

import pytest
from seq2seq_cli.cli.settings import parse_toml

from seq2seq_cli.config import LengthLimit, ModelConfig, SearchConfig, TokenizerConfig, TrainingConfig, length_limit
from seq2seq_cli.errors import UserError
from seq2seq_cli.text.builtin import data_folder

WRONG = [
    (ModelConfig, {"embedding_size": 0}, "--embedding-size", "from 1"),
    (ModelConfig, {"hidden_size": -3}, "--hidden-size", "-3"),
    (ModelConfig, {"hidden_size": 10**9}, "--hidden-size", "65536"),
    (ModelConfig, {"layers": 0}, "--layers", "from 1"),
    (ModelConfig, {"context": "attention"}, "--context", "initial, every-step"),
    (ModelConfig, {"dropout": 1.0}, "--dropout", "below 1"),
    (ModelConfig, {"dropout": math.nan}, "--dropout", "nan"),
    (ModelConfig, {"context": "initial", "tie_embeddings": True}, "--tie-embeddings", "equal sizes"),
    (TrainingConfig, {"epochs": 0}, "--epochs", "1 or more"),
    (TrainingConfig, {"max_steps": 0}, "--max-steps", "1 or more"),
    (TrainingConfig, {"max_minutes": 0.0}, "--max-minutes", "from 0.001"),
    (TrainingConfig, {"batch_size": 0}, "--batch-size", "from 1"),
    (TrainingConfig, {"learning_rate": 0.0}, "--learning-rate", "from"),
    (TrainingConfig, {"clip_norm": -1.0}, "--clip-norm", "from 0"),
    (TrainingConfig, {"label_smoothing": 1.0}, "--label-smoothing", "below 1"),
    (TrainingConfig, {"patience": 0}, "--patience", "1 or more"),
    (TrainingConfig, {"seed": -1}, "--seed", "from 0"),
    (TokenizerConfig, {"kind": "sentencepiece"}, "--tokenizer", "bpe, word, char"),
    (TokenizerConfig, {"vocab_size": 3}, "--vocab-size", "from 4"),
    (SearchConfig, {"beam": 0}, "--beam", "from 1"),
    (SearchConfig, {"length_penalty": -0.1}, "--length-penalty", "from 0"),
    (SearchConfig, {"normalization": "none"}, "--normalization", "plain, gnmt"),
    (SearchConfig, {"no_repeat_ngram": -1}, "--no-repeat-ngram", "from 0"),
    (SearchConfig, {"n_best": 9}, "--n-best", "more than --beam 5"),
    (SearchConfig, {"max_length": 0}, "--max-length", "from 1"),
    (SearchConfig, {"max_length": -2}, "--max-length", "from 1"),
    (SearchConfig, {"max_length": "2y"}, "--max-length", "relative to the source's, not '2y'"),
    (SearchConfig, {"max_length": "2x-3"}, "--max-length", "2x-3"),
    (SearchConfig, {"max_length": "2.5"}, "--max-length", "number of tokens"),
    (SearchConfig, {"max_length": ""}, "--max-length", "number of tokens"),
    (SearchConfig, {"max_length": "0x+5"}, "--max-length", "from 0.01"),
    (SearchConfig, {"max_length": "0x"}, "--max-length", "the number before x must be from 0.01"),
    (SearchConfig, {"max_length": "9" * 5000}, "--max-length", "number of tokens"),
    (SearchConfig, {"max_length": "2x+99999999"}, "--max-length", "to 1048576"),
    (SearchConfig, {"batch_size": 0}, "--batch-size", "from 1"),
]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_a_setting_that_cannot_be_is_wrong_usage_with_the_flag_and_its_limits(case):
    kind, settings, flag, message = WRONG[case]
    required = (10, 10) if kind is ModelConfig else ()
    with pytest.raises(UserError) as caught:
        kind(*required, **settings)
    assert caught.value.where == flag
    assert message in caught.value.what
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "factor", "tokens"),
    [(60, 0, 60), ("60", 0, 60), ("2x", 2, 0), ("1.5x+10", 1.5, 10), (".5x", 0.5, 0), ("2x+10", 2, 10)],
)
def test_a_longest_translation_is_a_number_or_relative_to_the_source(text, factor, tokens):
    assert length_limit(text) == LengthLimit(factor, tokens)


def test_defaults_are_valid():
    assert ModelConfig(10, 10).directions in (1, 2)
    assert TrainingConfig()
    assert SearchConfig()
    assert TokenizerConfig()


def test_the_built_in_recipe_is_the_defaults():
    recipe = parse_toml((data_folder() / "recipes" / "builtin.toml").read_text(encoding="utf-8"), "builtin.toml")
    defaults = {**asdict(ModelConfig(1, 1)), **asdict(TrainingConfig()), **asdict(TokenizerConfig())}
    defaults["tokenizer"] = defaults.pop("kind")
    for name in ("source_vocabulary", "target_vocabulary", "max_steps", "max_minutes"):
        del defaults[name]
    assert {key.replace("-", "_"): value for key, value in recipe.items()} == defaults
