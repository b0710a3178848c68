import dataclasses
import math

import pytest

from seq2seq_cli.config import (
    CorpusConfig,
    LengthLimit,
    ModelConfig,
    SearchConfig,
    TokenizerConfig,
    TrainingConfig,
    config_from_json,
    flag_of,
    length_limit,
    settings_in,
    type_of,
)
from seq2seq_cli.errors import UserError

WRONG = [
    (ModelConfig, {"embedding_size": 0}, "--embedding-size", "from 1"),
    (ModelConfig, {"hidden_size": -3}, "--hidden-size", "-3"),
    (ModelConfig, {"hidden_size": 10**9}, "--hidden-size", "65536"),
    (ModelConfig, {"layers": 0}, "--layers", "from 1"),
    (ModelConfig, {"context": "attention"}, "--context", "initial, every-step"),
    (ModelConfig, {"dropout": 1.0}, "--dropout", "below 1"),
    (ModelConfig, {"word_dropout": 1.0}, "--word-dropout", "below 1"),
    (ModelConfig, {"dropout": math.nan}, "--dropout", "nan"),
    (ModelConfig, {"context": "initial", "tie_embeddings": True}, "--tie-embeddings", "equal sizes"),
    (ModelConfig, {"context": "initial", "pooled_context": True}, "--pooled-context", "every step"),
    (TrainingConfig, {"epochs": 0}, "--epochs", "1 or more"),
    (TrainingConfig, {"max_steps": 0}, "--max-steps", "1 or more"),
    (TrainingConfig, {"max_minutes": 0.0}, "--max-minutes", "from 0.001"),
    (TrainingConfig, {"batch_size": 0}, "--batch-size", "from 1"),
    (TrainingConfig, {"learning_rate": 0.0}, "--learning-rate", "from"),
    (TrainingConfig, {"clip_norm": -1.0}, "--clip-norm", "from 0"),
    (TrainingConfig, {"label_smoothing": 1.0}, "--label-smoothing", "below 1"),
    (TrainingConfig, {"augmentation": 11.0}, "--augmentation", "to 10"),
    (TrainingConfig, {"patience": 0}, "--patience", "1 or more"),
    (TrainingConfig, {"seed": -1}, "--seed", "from 0"),
    (TokenizerConfig, {"kind": "sentencepiece"}, "--tokenizer", "bpe, word, char"),
    (TokenizerConfig, {"vocab_size": 3}, "--vocab-size", "from 4"),
    (SearchConfig, {"beam": 0}, "--beam", "from 1"),
    (SearchConfig, {"length_penalty": -0.1}, "--length-penalty", "from 0"),
    (SearchConfig, {"reverse_weight": -0.1}, "--reverse-weight", "from 0"),
    (SearchConfig, {"normalization": "none"}, "--normalization", "plain, gnmt"),
    (SearchConfig, {"no_repeat_ngram": -1}, "--no-repeat-ngram", "from 0"),
    (SearchConfig, {"n_best": 9}, "--n-best", "more than --beam 5"),
    (SearchConfig, {"max_length": 0}, "--max-length", "from 1"),
    (SearchConfig, {"max_length": -2}, "--max-length", "from 1"),
    (SearchConfig, {"max_length": "2y"}, "--max-length", "relative to the source length, not '2y'"),
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
    assert CorpusConfig()


SECTIONS = (CorpusConfig, TokenizerConfig, ModelConfig, TrainingConfig, SearchConfig)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_has_help_a_panel_and_a_type_and_its_default_is_of_that_type(section):
    assert section.panel
    settings = settings_in(section)
    assert settings
    for name, each in settings.items():
        assert each.metadata["text"], name
        kind = type_of(section, each)
        assert kind in (int, float, bool, str), name
        assert each.default is None or type(each.default) is kind, name
        if kind in (int, float):
            assert each.metadata["limits"], name


@pytest.mark.parametrize("section", SECTIONS)
def test_every_limit_and_every_choice_of_a_setting_is_checked(section):
    for name, each in settings_in(section).items():
        limits, choices = each.metadata["limits"], each.metadata["choices"]
        wrong = ["neither of them"] if choices else []
        if limits:
            low, high, below = limits
            wrong += [low - 1, math.nan, *([] if math.isinf(high) else [high if below else high + 1])]
        for value in wrong:
            with pytest.raises(UserError) as caught:
                section(**{each.name: value})
            assert caught.value.where == flag_of(name)


def test_names_that_a_flag_has_instead_of_its_field_are_known():
    assert settings_in(TokenizerConfig)["tokenizer"].name == "kind"
    assert "kind" not in settings_in(TokenizerConfig)
    assert flag_of("batch_size") == "--batch-size"
    assert not {"corpus", "source_vocabulary", "target_vocabulary"} & {
        name for section in SECTIONS for name in settings_in(section)
    }


@pytest.mark.parametrize("tied", [True, False])
def test_tied_embeddings_are_the_default_where_the_sizes_agree(tied):
    sizes = {"embedding_size": 8, "hidden_size": 8 if tied else 9}
    assert ModelConfig(10, 10, context="initial", **sizes).tie_embeddings is tied
    assert ModelConfig(10, 10, context="every-step", **sizes).tie_embeddings is True
    assert ModelConfig(10, 10, tie_embeddings=False, **sizes).tie_embeddings is False


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_comes_back_from_what_a_file_keeps_of_it(section):
    made = section()
    assert config_from_json(section, dataclasses.asdict(made)) == made
    assert config_from_json(section, {}) == made


@pytest.mark.parametrize(
    "values", [{"wings": 2}, {"epochs": "6"}, {"epochs": 6.0}, {"epochs": True}, {"epochs": None}, [], None]
)
def test_a_section_that_somebody_changed_in_a_file_is_refused(values):
    with pytest.raises(ValueError, match=r"epochs cannot be|fields of a TrainingConfig"):
        config_from_json(TrainingConfig, values)


def test_a_whole_number_in_a_file_is_a_number():
    assert config_from_json(TrainingConfig, {"max_minutes": 3}).max_minutes == 3


FIRST_SETTINGS = {
    *("source_vocabulary", "target_vocabulary", "cell", "embedding_size", "hidden_size", "layers", "bidirectional"),
    *("context", "reverse_source", "dropout", "tie_embeddings"),
}


def test_a_file_keeps_a_later_setting_of_the_network_only_where_it_is_not_at_its_default():
    plain = ModelConfig(10, 12)
    assert plain.to_json().keys() == FIRST_SETTINGS
    later = {name: getattr(plain, name) for name in dataclasses.asdict(plain) if name not in FIRST_SETTINGS}
    assert "lexical_prior" in later
    for name, default in later.items():
        changed = dataclasses.replace(
            plain, **{name: default + 0.5 if type(default) is float else 2 if type(default) is int else not default}
        )
        assert changed.to_json().keys() == {*FIRST_SETTINGS, name}
        assert config_from_json(ModelConfig, changed.to_json()) == changed
    assert config_from_json(ModelConfig, plain.to_json()) == plain
