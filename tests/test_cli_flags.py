"""Flags made from settings: none is missing where a command must have it, and each says what its setting says."""

import dataclasses
import io
import subprocess
import sys
from typing import Annotated, Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from seq2seq_cli.cli import app
from seq2seq_cli.cli.flags import choices_of, complete_model, completion, with_flags
from seq2seq_cli.cli.help import Deferred
from seq2seq_cli.cli.terminal.prompt import NOT_AT_THE_PROMPT, Prompt
from seq2seq_cli.cli.terminal.translations import Style
from seq2seq_cli.config import (
    BLEU_TOKENIZERS,
    CONTEXTS,
    CRITERIA,
    NORMALIZATIONS,
    TEXT_NORMALIZATIONS,
    TOKENIZER_KINDS,
    CorpusConfig,
    ModelConfig,
    Recipe,
    SearchConfig,
    TokenizerConfig,
    TrainingConfig,
    flag_of,
    setting_types,
    settings_in,
)
from seq2seq_cli.nn.cells import CELLS
from seq2seq_cli.nn.optimizers import OPTIMIZERS
from tests.conftest import environment

SEARCHES = {"translate": set(), "eval": {"n_best"}}
"""The commands that search, and what of the search they have no use for: one translation is scored."""
SECTIONS = (CorpusConfig, TokenizerConfig, ModelConfig, TrainingConfig)
CHOICES = {
    "keep_best": CRITERIA,
    "tokenize": BLEU_TOKENIZERS,
    "cell": tuple(CELLS),
    "optimizer": tuple(OPTIMIZERS),
    "context": CONTEXTS,
    "tokenizer": TOKENIZER_KINDS,
    "normalization": NORMALIZATIONS,
    "text_normalization": TEXT_NORMALIZATIONS,
}


def parameters(command):
    """The parameters of a command by name."""
    found = typer.main.get_command(app).commands[command]
    found = found.load() if isinstance(found, Deferred) else found
    return {each.name: each for each in found.get_params(typer.Context(found))}


def flags(command):
    """The flags of a command."""
    return {flag for each in parameters(command).values() for flag in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("command", SEARCHES)
def test_a_command_that_searches_has_a_flag_for_every_setting_of_the_search(command):
    expected = settings_in(SearchConfig).keys() - SEARCHES[command]
    found = parameters(command)
    assert expected <= found.keys()
    assert {flag_of(name) for name in expected} <= flags(command)
    assert not SEARCHES[command] & found.keys()
    for name in expected:
        assert found[name].default == settings_in(SearchConfig)[name].default, name


def test_every_field_of_the_search_is_a_setting():
    assert settings_in(SearchConfig).keys() == {each.name for each in dataclasses.fields(SearchConfig)}


def test_the_prompt_has_a_command_for_every_setting_of_the_search_but_those_for_many_lines():
    commands = Prompt(None, SearchConfig(), Style(), io.BytesIO()).commands
    for name in settings_in(SearchConfig):
        command = f":{name.replace('_', '-')}"
        assert (command in commands) == (name not in NOT_AT_THE_PROMPT), command
    assert set(NOT_AT_THE_PROMPT) <= settings_in(SearchConfig).keys()


def test_every_setting_of_a_recipe_is_a_flag_of_train():
    found = parameters("train")
    assert setting_types().keys() <= found.keys()
    for name in setting_types().keys() - {"corpus"}:  # which is the argument
        assert flag_of(name) in flags("train"), name
        assert found[name].default is None, name  # what is not given may be fitted to the corpus, or come from a file
    assert found["corpus"].param_type_name == "argument"


def test_every_field_of_the_sections_is_a_setting_but_the_sizes_of_the_vocabularies():
    fields = {each.name for section in SECTIONS for each in dataclasses.fields(section)}
    settings = {each.name for section in SECTIONS for each in settings_in(section).values()}
    assert fields - settings == {"corpus", "source_vocabulary", "target_vocabulary"}
    parts = {each.name for each in dataclasses.fields(Recipe)}
    assert parts == {"corpora", "tokenizers", "model", "training", "threads", "given"}


@pytest.mark.parametrize("section", [*SECTIONS, SearchConfig])
def test_a_flag_says_and_completes_every_choice_of_its_setting(section):
    found = parameters("translate" if section is SearchConfig else "train")
    for name, each in settings_in(section).items():
        choices = each.metadata["choices"] or choices_of(name)
        assert choices == CHOICES.get(name, ()), name
        for choice in choices:
            assert choice in found[name].help, name
        if choices:
            for start in ("", choices[0][:1]):
                offered = found[name].shell_complete(typer.Context(typer.main.get_command(app)), start)
                assert [item.value for item in offered] == [each for each in choices if each.startswith(start)], name


def test_names_without_a_table_have_no_choices():
    assert choices_of("beam") == ()


def test_a_switch_that_is_on_can_be_switched_off_and_one_that_is_off_only_on():
    assert {"--bidirectional", "--no-bidirectional", "--lowercase", "--no-lowercase"} <= flags("train")  # a file's may
    assert "--allow-unknown" in flags("translate")
    assert "--no-allow-unknown" not in flags("translate")


def run(decorate, *arguments):
    """Call a command of these flags; return what it was given."""
    given: list[dict[str, Any]] = []

    @decorate
    def command(text: Annotated[str, typer.Argument()] = "", **settings: Any) -> None:
        given.append({"text": text, **settings})

    small = typer.Typer()
    small.command()(command)
    result = CliRunner().invoke(small, list(arguments))
    assert result.exit_code == 0, result.output
    return given[0]


def test_a_command_gets_its_settings_with_their_types():
    found = run(with_flags(SearchConfig), "words", "--beam", "7", "--length-penalty", "2", "--allow-unknown")
    text = found.pop("text")
    assert (text, SearchConfig(**found)) == ("words", SearchConfig(beam=7, length_penalty=2.0, allow_unknown=True))


def test_flags_that_are_left_out_or_not_given_are_not_there():
    assert "n_best" not in run(with_flags(SearchConfig, leave_out=("n_best",)))
    assert set(run(with_flags(*SECTIONS, optional=True)).values()) == {"", None}
    found = run(with_flags(*SECTIONS, optional=True), "--no-bidirectional", "--hidden-size", "3", "--tokenizer", "char")
    assert {k: v for k, v in found.items() if v not in (None, "")} == {
        "bidirectional": False,
        "hidden_size": 3,
        "tokenizer": "char",
    }


def test_a_decorated_command_has_the_annotations_of_its_flags():
    @with_flags(TokenizerConfig)
    def command(**settings: Any) -> None:
        """Do nothing."""

    kinds = {name: get_args(hint)[0] for name, hint in command.__annotations__.items() if name != "return"}
    assert kinds == {"tokenizer": str, "vocab_size": int, "lowercase": bool, "text_normalization": str}


def test_a_model_is_completed_to_model_files_and_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model.npz", "model.state.npz", "more.npz", "text.tsv", ".hidden.npz"):
        (tmp_path / name).write_text("")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.npz").write_text("")
    assert complete_model("") == ["model.npz", "more.npz", "models/"]
    assert complete_model("mod") == ["model.npz", "models/"]
    assert complete_model("models/") == ["models/a.npz"]
    assert complete_model(f"{tmp_path}/models/a") == [f"{tmp_path}/models/a.npz"]
    assert complete_model("nowhere/") == []


def test_metrics_are_completed_one_after_the_other():
    complete = completion(("bleu", "chrf", "ter"), ",")
    assert complete("") == ["bleu", "chrf", "ter"]
    assert complete("b") == ["bleu"]
    assert complete("bleu,c") == ["bleu,chrf"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("seq2seq train --cell ", set(CELLS)),
        ("seq2seq train --context ", set(CONTEXTS)),
        ("seq2seq train --optimizer a", {name for name in OPTIMIZERS if name.startswith("a")}),
        ("seq2seq train --tokenizer ", set(TOKENIZER_KINDS)),
        ("seq2seq translate --normalization ", set(NORMALIZATIONS)),
        ("seq2seq eval --metrics bleu,", {"bleu,bleu", "bleu,chrf", "bleu,chrf++", "bleu,ter"}),
        ("seq2seq translate -m mod", {"model.npz"}),
        ("seq2seq tokenizer encode --side ", {"source", "target"}),
    ],
)
def test_a_choice_completes_at_tab(words, expected, tmp_path):
    (tmp_path / "model.npz").write_text("")
    changes = {"_SEQ2SEQ_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    program = "import sys; sys.argv = ['seq2seq']; from seq2seq_cli.__main__ import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment(**changes)
    )
    assert set(result.stdout.split()) == expected, result.stderr
