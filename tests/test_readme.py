"""The README says what the program is: every command and flag stands in it, and its commands are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from seq2seq_cli.cli import app

CHECKOUT = Path(__file__).parent.parent
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def commands(group, path=()):
    for name, command in group.commands.items():
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
    blocks = re.sub(r"pip install[^\n]*", "", README)
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


def test_ci_runs_the_test_command_of_the_readme():
    assert "<!-- test command -->" in README
    assert "<!-- test command -->" in (CHECKOUT / ".ci" / "run").read_text()
