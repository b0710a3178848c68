"""Every command refuses outputs that are inputs, and repeated options: found by going over all of their parameters."""

import inspect
import itertools
from pathlib import Path
from typing import Annotated, get_args, get_origin

import pytest
from typer.testing import CliRunner

from seq2seq_cli.cli import app
from seq2seq_cli.cli.checks import INPUT, NEITHER, OUTPUT, role_of
from seq2seq_cli.errors import UserError
from tests.conftest import SMALL, assert_explained, write_pairs
from tests.test_cli_help import COMMANDS

NO_FILES = {"metrics", "kind", "cell", "context", "optimizer", "keep_best", "normalization", "max_length"}
NO_FILES |= {"tokenizer", "text", "tokenize", "text_normalization", "side"}
"""Parameters that are text, but no files: choices, lists, sentences."""
PARAMETERS = [(name, each) for name, command in COMMANDS.items() for each in command.params]
ROLES = {(name, each.name): role_of(COMMANDS[name], each) for name, each in PARAMETERS}
WORDS = {int: "3", float: "0.5"}


def kind_of(command, parameter):
    """The type of the values of a parameter, without None, list and Annotated."""
    hint = inspect.signature(command.callback, eval_str=True).parameters[parameter.name].annotation
    while not isinstance(hint, type) or get_origin(hint):
        parts = get_args(hint)
        hint = parts[0] if get_origin(hint) in (Annotated, list) else next(p for p in parts if p is not type(None))
    return hint


def words(command, parameter, value):
    """How to give a parameter on the command line."""
    return [max(parameter.opts, key=len), value] if parameter.param_type_name == "option" else [value]


def run(*arguments):
    """Run the command line in this process: its exception."""
    result = CliRunner().invoke(app, list(map(str, arguments)), standalone_mode=False)
    return result.exception


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS, ids=lambda each: getattr(each, "name", each))
def test_every_parameter_that_is_text_or_a_path_has_a_role_or_is_known_to_be_no_file(name, parameter):
    kind, role = kind_of(COMMANDS[name], parameter), ROLES[name, parameter.name]
    if kind is Path:
        assert role != NEITHER, "a file: give it the metavar FILE, or list it in cli/checks.py"
    elif kind is str:
        assert (role == NEITHER) == (
            parameter.name in NO_FILES and (name, parameter.name) != ("tokenizer train", "text")
        )
    else:
        assert role == NEITHER


def test_the_roles_are_those_that_are_known():
    outputs = {key for key, role in ROLES.items() if role == OUTPUT}
    assert outputs >= {
        ("train", "output"),
        ("train", "log_file"),
        ("translate", "output_file"),
        ("eval", "output_file"),
    }
    assert outputs >= {("tokenizer train", "output"), ("plot history", "output"), ("plot contexts", "output")}
    inputs = {key for key, role in ROLES.items() if role == INPUT}
    assert inputs >= {("train", each) for each in ("corpus", "valid", "config", "source_tokenizer", "target_tokenizer")}
    assert inputs >= {("eval", each) for each in ("corpus", "model", "hypotheses", "references", "train_corpus")}
    assert inputs >= {("plot history", "log_file"), ("tokenizer train", "text"), ("tokenizer encode", "tokenizer")}


PAIRS = [
    pytest.param(name, a, b, id=f"{name} {a.name} {b.name}")
    for name, command in COMMANDS.items()
    for a, b in itertools.product(command.params, repeat=2)
    if (ROLES[name, a.name], ROLES[name, b.name]) == (INPUT, OUTPUT)
]


@pytest.mark.parametrize(("name", "a", "b"), PAIRS)
@pytest.mark.parametrize("link", ["same", "soft", "hard"])
def test_no_output_of_a_command_may_be_one_of_its_inputs(name, a, b, link, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.npz").write_text("some text\n")
    other = "./x.npz" if link == "same" else "y.png"
    if link == "soft":
        Path(other).symlink_to("x.npz")
    elif link == "hard":
        Path(other).hardlink_to("x.npz")
    command = COMMANDS[name]
    required = [p for p in command.params if p.required and p not in (a, b)]
    given = [word for p in required for word in words(command, p, "z")]
    error = run(*name.split(), *words(command, b, other), *words(command, a, "x.npz"), *given)
    assert isinstance(error, UserError), error
    assert error.exit_code == 2
    assert "would overwrite" in error.what
    assert Path("x.npz").read_text() == "some text\n"
    assert len(list(tmp_path.iterdir())) == 1 + (link != "same")


REPEATABLE = [
    pytest.param(name, each, id=f"{name} {each.name}")
    for name, each in PARAMETERS
    if each.param_type_name == "option" and not each.is_flag
]


@pytest.mark.parametrize(("name", "parameter"), REPEATABLE)
def test_an_option_that_is_no_list_may_not_be_given_twice(name, parameter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("seq2seq_cli.cli.help.Command.invoke", lambda *_: None)  # so that nothing is run
    command = COMMANDS[name]
    value = WORDS.get(kind_of(command, parameter), "a")
    required = [word for p in command.params if p.required and p is not parameter for word in words(command, p, "z")]
    for flag in (max(parameter.opts, key=len), min(parameter.opts, key=len)):
        once, twice = [max(parameter.opts, key=len), value], [flag, value]
        assert run(*name.split(), *required, *once) is None
        error = run(*name.split(), *required, *once, *twice)
        if parameter.multiple:
            assert error is None
        else:
            assert isinstance(error, UserError)
            assert error.exit_code == 2
            assert error.what == f"{once[0]} is given more than once"


def test_a_switch_may_be_repeated_but_not_contradicted(monkeypatch):
    monkeypatch.setattr("seq2seq_cli.cli.help.Command.invoke", lambda *_: None)
    assert run("translate", "-q", "--json", "--quiet", "--json") is None
    error = run("train", "--bidirectional", "--no-bidirectional")
    assert error.what == "--bidirectional and --no-bidirectional contradict each other"
    assert error.exit_code == 2


def test_repeated_options_do_not_hide_the_help(cli):
    result = cli("translate", "--beam", "2", "--beam", "3", "--help")
    assert (result.returncode, b"Usage" in result.stdout) == (0, True)


def test_the_default_model_and_the_built_in_corpus_are_inputs_too(tmp_path, monkeypatch):
    from seq2seq_cli.text.builtin import builtin_corpus

    monkeypatch.chdir(tmp_path)
    Path("model.npz").write_text("precious")
    assert "would overwrite --model" in run("translate", "Hello.", "-o", "model.npz").what
    error = run("eval", "-o", builtin_corpus("test"))
    assert error.what == "--output would overwrite the built-in corpus, which this command reads"


def test_settings_from_a_file_are_checked_as_well(cli, tmp_path):
    write_pairs(tmp_path / "p.tsv")
    for text, what in (
        ('corpus = "p.tsv"\nlog-file = "p.tsv"', "--log-file would overwrite the training corpus"),
        ('corpus = "p.tsv"\nvalid = "v.tsv"\nlog-file = "v.tsv"', "--log-file would overwrite --valid"),
        ('log-file = "r.toml"', "--log-file would overwrite --config"),
    ):
        (tmp_path / "v.tsv").write_text("a\tb\n")
        (tmp_path / "r.toml").write_text(text)
        before = sorted(path.name for path in tmp_path.iterdir())
        assert_explained(cli("train", "--config", "r.toml", *SMALL), 2, what)
        assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_redirected_streams_are_inputs_and_outputs(tmp_path):
    import subprocess
    import sys

    from tests.conftest import environment

    (tmp_path / "x").write_text("text\n")
    command = [sys.executable, "-m", "seq2seq_cli", "translate"]
    with (tmp_path / "x").open("rb") as file:
        result = subprocess.run([*command, "-o", "x"], stdin=file, cwd=tmp_path, env=environment(), capture_output=True)
    assert (result.returncode, b"--output would overwrite standard input" in result.stderr) == (2, True)
    with (tmp_path / "x").open("ab") as file:
        result = subprocess.run(
            [*command, "-i", "x"], stdout=file, stderr=subprocess.PIPE, cwd=tmp_path, env=environment()
        )
    assert (result.returncode, b"standard output would overwrite --input" in result.stderr) == (2, True)
    assert (tmp_path / "x").read_text() == "text\n"


def test_an_error_of_usage_ends_with_exit_code_2(cli, tmp_path):
    (tmp_path / "k.tsv").write_text("a\tb\n")
    assert_explained(cli("tokenizer", "train", "k.tsv", "-o", "k.tsv"), 2, "--output would overwrite TEXT", "k.tsv")
    assert_explained(
        cli("train", "k.tsv", "--valid", "k.tsv", "--valid", "k.tsv"), 2, "--valid is given more than once"
    )
