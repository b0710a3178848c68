"""The README says what the program is: every command and flag stands in it, and its commands are real."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from seq2seq_cli.cli import app
from seq2seq_cli.cli.help import Deferred
from tests.conftest import environment

CHECKOUT = Path(__file__).parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def loaded(command):
    return command.load() if isinstance(command, Deferred) else command


def commands(group, path=()):
    for name, command in group.commands.items():
        command = loaded(command)
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_flag_stands_in_the_readme(path):
    assert path[-1] in README
    for parameter in ALL[path].params:
        for flag in [*getattr(parameter, "opts", []), *getattr(parameter, "secondary_opts", [])]:
            if flag.startswith("-"):
                assert re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", README), f"{' '.join(path)} {flag}"


def test_every_flag_of_the_readme_exists():
    known = {flag for c in ALL.values() for p in c.params for flag in (*p.opts, *p.secondary_opts)}
    known |= {"--help", "--version", "--install-completion", "--show-completion"}
    others = r"pip install[^\n]*|python -m tests\.benchmarks[^`\n]*"  # their flags are not the program's
    blocks = re.sub(others, "", README)
    for flag in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", blocks)):
        assert flag in known, flag


def test_every_file_of_the_reading_order_exists():
    folder = "seq2seq_cli"
    for name in re.findall(r"`((?:[\w/]+/)?[\w]+\.py)`", README):
        if "/" in name:
            folder = str(Path(name).parent)
        assert (
            (CHECKOUT / name).exists()
            or (CHECKOUT / folder / name).exists()
            or list((CHECKOUT / "seq2seq_cli").rglob(name))
        ), name


BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
TYPED = [
    match.group(1)
    for kind, text in BLOCKS
    if kind in ("sh", "console")
    for line in text.splitlines()
    if (match := re.search(r"(?:^|[|$] )seq2seq ((?:[^|<>#\"]|\"[^\"]*\")+)", line))
]


def test_commands_of_the_readme_are_found():
    assert len(TYPED) > 25
    assert {"train", "translate", "eval", "tokenizer"} <= {line.split()[0] for line in TYPED}


@pytest.mark.parametrize("line", TYPED)
def test_every_command_of_the_readme_can_be_typed(line):
    command, context, words = typer.main.get_command(app), None, shlex.split(line)
    while hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, line
        command = loaded(command.commands[name])
    with command.make_context(line, words, parent=context) as context:
        assert context.params


@pytest.mark.parametrize("snippet", [text for kind, text in BLOCKS if kind == "python"])
def test_every_python_snippet_of_the_readme_runs_as_it_stands(trained, snippet):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet], cwd=trained, env=environment(), capture_output=True, timeout=60
    )
    assert result.returncode == 0, result.stderr.decode()


def test_types_reach_those_who_import_the_package():
    assert "Everything is typed" in README
    assert (CHECKOUT / "seq2seq_cli" / "py.typed").exists()


def test_every_link_to_a_file_or_a_section_leads_somewhere():
    targets = re.findall(r"\]\(([^)]+)\)", README)
    headings = {
        re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in re.findall(r"^#+ (.*)", README, re.M)
    }
    assert ".pictures/train.svg" in targets
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("http"):
            assert (CHECKOUT / target).is_file(), target


def test_every_message_of_the_troubleshooting_is_one_that_the_program_can_say():
    said = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "seq2seq_cli").rglob("*.py"))
    table = README.partition("## Troubleshooting\n")[2].partition("\n## ")[0]
    symptoms = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    quoted = [text for symptom in symptoms for text in re.findall(r"`([^`]*)`", symptom) if " " in text]
    assert len(quoted) >= 5
    for text in quoted:
        for part in re.split(r" ?… ?", text.removeprefix("warning: ")):  # which console.warn puts before every one
            assert part in said, text


def test_ci_runs_the_test_command_of_the_readme():
    assert "<!-- test command -->" in README
    assert "<!-- test command -->" in (CHECKOUT / ".ci" / "run").read_text()
