"""The flags that commands that translate share."""

import pytest

from seq2seq_cli.cli.search_flags import load_reverse_model, search_config
from seq2seq_cli.config import SearchConfig, TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.storage.checkpoint import save_model
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary
from tests.test_reverse_model import WORDS
from tests.test_translator import LINES, checkpoint


def test_flags_become_settings():
    assert search_config() == SearchConfig()
    assert search_config(sample=True, temperature=0.5, seed=3, n_best=8).n_best == 8


@pytest.mark.parametrize(
    ("flags", "where"),
    [
        ({"temperature": 0.5}, "--temperature"),
        ({"seed": 4}, "--seed"),
        ({"rerank_weight": 0.1}, "--rerank-weight"),
        ({"sample": True, "beam": 4}, "--beam"),
        ({"n_best": 8}, "--n-best"),
    ],
)
def test_flags_without_an_effect_are_refused(flags, where):
    with pytest.raises(UserError) as caught:
        search_config(**flags)
    assert (caught.value.where, caught.value.exit_code) == (where, 2)


@pytest.mark.parametrize(("known", "warned"), [(WORDS, False), (WORDS[:60], False), (WORDS[:5], True)])
def test_a_reverse_model_that_has_not_read_the_target_words_is_doubted(known, warned, tmp_path, capsys):
    made = checkpoint(lines=[*LINES, " ".join(WORDS)])
    made.target_tokenizer = train_tokenizer(TokenizerConfig("word", 200), [*LINES, " ".join(WORDS)])
    reverse = checkpoint(3)
    reverse.training_vocabulary = TrainingVocabulary(9, frozenset(known))
    save_model(tmp_path / "r.npz", reverse)
    config = SearchConfig(rerank=str(tmp_path / "r.npz"))
    load_reverse_model(Translator([made]), config)
    assert ("does it translate in the reverse direction?" in capsys.readouterr().err) == warned


def test_without_rerank_nothing_is_loaded():
    load_reverse_model(None, SearchConfig())
