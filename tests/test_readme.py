"""The documents say what the program is: their commands, snippets, links, files, and messages are real."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from seq2seq_cli.cli import app
from seq2seq_cli.cli.help import Deferred
from seq2seq_cli.training.fit import ANCHORS
from tests.conftest import CHECKOUT, environment

NAMES = ("README.md", "seq2seq_cli/nn/README.md", "tests/benchmarks/README.md", "data/README.md")
DOCUMENTS = {name: (CHECKOUT / name).read_text(encoding="utf-8") for name in NAMES}
README = DOCUMENTS["README.md"]
each_document = pytest.mark.parametrize("name", NAMES)


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
HIDDEN = {name for name, command in typer.main.get_command(app).commands.items() if command.hidden}
FLAGS = {flag for command in ALL.values() for p in command.params for flag in (*p.opts, *p.secondary_opts)}
FLAGS |= {"--help", "--version", "--install-completion", "--show-completion"}

BLOCKS = {name: re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) for name, text in DOCUMENTS.items()}
SHELL_LINES = [
    (name, line)
    for name, blocks in BLOCKS.items()
    for kind, text in blocks
    if kind in ("sh", "console", "powershell")
    for line in text.splitlines()
]
TYPED = [
    match.strip()
    for _, line in SHELL_LINES
    for match in re.findall(r"(?:^|[|$&;] |[/\\])seq2seq ((?:[^|<>#\";&]|\"[^\"]*\")+)", line)
]
TYPED += [  # in running text
    match
    for text in DOCUMENTS.values()
    for match in re.findall(r"`seq2seq ([^`\[…]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
]
PROGRAMS = [
    (name, module, arguments)
    for name, line in SHELL_LINES
    for module, arguments in re.findall(r"python -m (tests\.benchmarks\.\w+)([^#\n]*)", line)
]


def test_the_readme_is_read_in_five_minutes():
    assert len(README.splitlines()) <= 250


@pytest.mark.parametrize("path", [path for path in ALL if path[0] not in HIDDEN], ids=" ".join)
def test_every_command_stands_in_the_readme(path):
    assert f"`{' '.join(path)}`" in README or f"`seq2seq {' '.join(path)}" in README


@each_document
def test_every_flag_of_a_document_exists(name):
    others = r"pip install[^\n]*|python -m tests\.benchmarks[^`\n]*|mpirun .*(?=seq2seq)"  # flags of other programs
    for flag in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", re.sub(others, "", DOCUMENTS[name]))):
        assert flag in FLAGS, flag


def test_commands_of_the_documents_are_found():
    assert len(TYPED) > 50
    assert {"train", "translate", "eval", "inspect", "gradcheck", "plot", "tokenizer"} <= {
        line.split()[0] for line in TYPED
    }
    assert len(PROGRAMS) > 10


@pytest.mark.parametrize("line", dict.fromkeys(TYPED))
def test_every_command_of_the_documents_can_be_typed(line):
    command, context, words = typer.main.get_command(app), None, shlex.split(line)
    while hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, line
        command = loaded(command.commands[name])
    if not words and any(parameter.required for parameter in command.params):
        return  # the command is only named
    with command.make_context(line, words, parent=context) as context:
        assert context.params


@pytest.mark.parametrize(("name", "module", "arguments"), PROGRAMS)
def test_every_program_of_the_documents_exists_and_has_the_flags(name, module, arguments):
    files = [(CHECKOUT / Path(*module.split("."))).with_suffix(".py")]
    files += [CHECKOUT / "tests" / "benchmarks" / shared for shared in ("measure.py", "models.py")]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    for flag in re.findall(r"(?<!\S)--?[a-z][a-z-]*", arguments):
        assert f'"{flag}"' in source, flag


SNIPPETS = [
    pytest.param(text, id=f"{name}-{k}")
    for name, blocks in BLOCKS.items()
    for k, (kind, text) in enumerate(blocks)
    if kind == "python"
]


def test_snippets_are_found():
    assert len(SNIPPETS) >= 3


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_python_snippet_of_the_documents_runs_as_it_stands(trained, tmp_path, snippet):
    for file in ("model.npz", "pairs.tsv"):
        shutil.copy(trained / file, tmp_path)
    shutil.copy(trained / "pairs.tsv", tmp_path / "test.tsv")
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr.decode()


def test_types_reach_those_who_import_the_package():
    assert "Everything is typed" in README
    assert (CHECKOUT / "seq2seq_cli" / "py.typed").exists()


def anchors(text: str) -> set[str]:
    """The sections that a link can lead to, named as GitHub names them."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in re.findall(r"^#+ (.*)", prose, re.M)}


@each_document
def test_every_link_to_a_file_or_a_section_leads_somewhere(name):
    targets = re.findall(r"\]\(([^)]+)\)", DOCUMENTS[name])
    assert targets
    for target in targets:
        if target.startswith("http"):
            continue
        file, _, section = target.partition("#")
        path = (CHECKOUT / name).parent / file if file else CHECKOUT / name
        assert path.is_file(), target
        if section:
            assert section in anchors(path.read_text(encoding="utf-8")), target


def test_the_readme_shows_both_pictures_and_leads_to_every_other_document():
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert {".pictures/train.svg", ".pictures/prompt.svg", *NAMES[1:]} <= set(targets)


@each_document
def test_every_file_that_a_document_names_exists(name):
    for file in re.findall(r"`((?:[\w.]+/)*\w+\.(?:py|toml|tsv))`", DOCUMENTS[name]):
        if file in ("pairs.tsv", "multi30k.toml", "digits.toml"):  # the reader's own
            continue
        places = [
            (CHECKOUT / name).parent,
            *(CHECKOUT / folder for folder in ("", "tests", "data/en-fr")),
        ]
        assert any((place / file).exists() for place in places), file


def test_every_definition_that_the_reading_order_names_stands_in_its_module():
    guide = NAMES[1]
    named = re.findall(r"\[`(\w+)`\]\(([\w./]+\.py)\)", DOCUMENTS[guide])
    assert len(named) > 25
    for definition, module in named:
        source = ((CHECKOUT / guide).parent / module).read_text(encoding="utf-8")
        assert re.search(rf"^(?:def|class) {definition}\b", source, re.M), f"{definition} in {module}"


def test_the_reading_order_leads_through_every_module_of_the_network():
    folder = CHECKOUT / "seq2seq_cli" / "nn"
    for module in folder.glob("*.py"):
        if module.name != "__init__.py":
            assert f"]({module.name})" in DOCUMENTS[NAMES[1]], module.name


def test_the_table_of_the_recipe_that_fits_holds_its_anchors():
    section = DOCUMENTS[NAMES[1]].partition("\n## 13. ")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if re.match(r"\| [\d,]+ \|", line)]
    table = {int(row[0].replace(",", "")): [float(cell.replace(",", "")) for cell in row[1:]] for row in rows}
    assert table == {pairs: list(values.values()) for pairs, values in ANCHORS.items()}


def texts(path: Path):
    """The strings of a module that it can print: all but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_every_message_of_the_troubleshooting_is_one_that_the_program_can_say():
    said = "\0".join(text for path in (CHECKOUT / "seq2seq_cli").rglob("*.py") for text in texts(path))
    table = README.partition("## Troubleshooting\n")[2].partition("\n## ")[0]
    symptoms = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    quoted = [text for symptom in symptoms for text in re.findall(r"`([^`]*)`", symptom) if " " in text]
    assert len(quoted) >= 8
    for text in quoted:
        for part in re.split(r" ?… ?", text.removeprefix("warning: ")):  # which console.warn puts before every one
            assert part in said, text


def test_powershell_forms_do_what_the_set_up_commands_do():
    def steps(text):
        """The pip and later steps of a set-up command, each in words that both shells share."""
        parts = re.split(r" && |; ", re.sub(r"\.venv[/\\](?:bin|Scripts)[/\\]", "", text.strip()))
        return [re.sub(r"^(?:python3|py) -m venv", "python -m venv", part) for part in parts]

    [powershell] = [text for kind, text in BLOCKS["README.md"] if kind == "powershell" and "-m venv" in text]
    shell = [line for name, line in SHELL_LINES if name == "README.md" and line.startswith("python3 -m venv")]
    assert [steps(line) for line in powershell.splitlines()] == [steps(line) for line in shell]
    assert len(shell) == 2


def test_ci_runs_the_test_command_of_the_readme():
    assert "<!-- test command -->" in README
    assert "<!-- test command -->" in (CHECKOUT / ".ci" / "run").read_text()
