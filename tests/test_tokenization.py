import pytest

from seq2seq_cli.config import BLEU_TOKENIZERS
from seq2seq_cli.errors import UserError
from seq2seq_cli.evaluation import tokenization
from seq2seq_cli.evaluation.tokenization import (
    BY_SCRIPT,
    EXTRAS,
    TokenizerChoice,
    check_tokenizer,
    choose_tokenizer,
    tokenizer_for,
)
from tests.test_units import CHINESE, ENGLISH, JAPANESE, KOREAN, THAI


@pytest.fixture
def install(monkeypatch):
    """Sets which extras are installed."""

    def installed(*names):
        monkeypatch.setattr(tokenization, "is_installed", lambda name: name not in EXTRAS or name in names)

    installed()
    return installed


def test_there_is_one_list_and_all_names_are_sacrebleus():
    from sacrebleu.metrics.bleu import BLEU

    assert set(BLEU_TOKENIZERS) <= set(BLEU.TOKENIZERS)
    assert BLEU_TOKENIZERS[0] == BLEU.TOKENIZER_DEFAULT
    assert EXTRAS.keys() <= set(BLEU_TOKENIZERS)
    assert {name for names in BY_SCRIPT.values() for name in names} <= set(BLEU_TOKENIZERS)


def test_the_tokenizer_suits_the_script(install):
    names = [choose_tokenizer(lines).name for lines in (ENGLISH, CHINESE, JAPANESE, KOREAN, THAI)]
    assert names == ["13a", "zh", "char", "13a", "char"]
    install("ja-mecab", "ko-mecab", "flores200")
    names = [choose_tokenizer(lines).name for lines in (ENGLISH, CHINESE, JAPANESE, KOREAN, THAI)]
    assert names == ["13a", "zh", "ja-mecab", "ko-mecab", "char"]


def test_a_choice_says_why_and_what_would_be_better(install):
    assert choose_tokenizer(ENGLISH).reason == ""
    assert choose_tokenizer(CHINESE).reason.endswith("tokenizer zh, because the target's script is Chinese characters")
    assert "the usual one is ja-mecab: pip install 'sacrebleu[ja]'" in choose_tokenizer(JAPANESE).reason
    assert "the usual one is ko-mecab: pip install 'sacrebleu[ko]'" in choose_tokenizer(KOREAN).reason
    assert TokenizerChoice("zh").reason == ""  # which was given


def test_what_the_user_gives_wins_then_the_models_then_the_script(install):
    assert tokenizer_for("intl", ["zh"], CHINESE).name == "intl"
    assert tokenizer_for(None, ["char", "char"], CHINESE).name == "char"
    assert tokenizer_for(None, ["char", None], CHINESE).name == "zh"  # models that do not agree
    assert tokenizer_for(None, [None], [None, *CHINESE]).name == "zh"  # an older model
    assert tokenizer_for(None, [], ENGLISH).name == "13a"


@pytest.mark.parametrize(("name", "part"), [("ja-mecab", "sacrebleu[ja]"), ("ko-mecab", "sacrebleu[ko]")])
def test_what_is_not_installed_says_how_to_install_it(install, name, part):
    with pytest.raises(UserError, match=f"{name} needs packages that are not installed") as caught:
        check_tokenizer(name)
    assert part in caught.value.fix
    assert "--tokenize char" in caught.value.fix
    with pytest.raises(UserError) as caught:
        tokenizer_for(None, [name], JAPANESE)
    assert caught.value.where == f"the model's --tokenize {name}"


@pytest.mark.parametrize(
    "failure", [OSError("no connection"), RuntimeError("\nbroken"), SystemExit(1), AssertionError()]
)
def test_what_is_installed_and_does_not_work_is_an_error_too(install, monkeypatch, failure):
    import sacrebleu.metrics.bleu

    def fail(**_):
        raise failure

    install("flores200")
    monkeypatch.setattr(sacrebleu.metrics.bleu, "BLEU", fail)
    with pytest.raises(UserError, match=r"flores200 does not work here: \w"):
        check_tokenizer("flores200")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UserError, match="must be one of 13a, intl, zh") as caught:
        check_tokenizer("moses")
    assert caught.value.exit_code == 2
