"""A module imports only from floors below its own; inside a floor's package, from its own package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "seq2seq_cli"
FLOORS = {
    "errors": 0,
    "config": 0,
    "nn": 1,
    "text": 1,
    "storage": 2,
    "inference": 3,
    "evaluation": 3,
    "training": 4,
    "cli": 5,
}
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem not in ("__init__", "__main__")
)
THIRD_PARTY = {"typer": {"cli"}, "rich": {"cli"}, "sacrebleu": {"evaluation"}, "matplotlib": {"cli"}, "numpy": None}


def room(path: Path) -> str:
    """The part of the house a file belongs to: ``nn``, ``cli``, ``training`` …"""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_room_has_a_floor():
    assert {room(path) for path in MODULES} == set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_the_floors(path):
    own = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "seq2seq_cli" or len(parts) < 2 or parts[1] not in FLOORS:
            continue
        assert parts[1] == own or FLOORS[parts[1]] < FLOORS[own], f"{own} must not import {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_package_is_used_only_where_it_belongs(path):
    for name in imports(path):
        rooms = THIRD_PARTY.get(name.split(".")[0])
        assert rooms is None or room(path) in rooms, f"{room(path)} must not import {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_or_exits(path):
    if room(path) == "cli":
        return
    exits = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "exit", "input"), f"{path}:{node.lineno}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "os._exit", "os.abort"):
            exits.append(ast.unparse(node.func))
    found = imports(path) & {"signal", "argparse", "pickle"}
    if path.name == "workers.py":
        # Here a forked process ends, not the program: without tidying up what belongs to the one it was forked from,
        # to which it also leaves the signals.
        assert exits == ["os._exit"]
        assert found == {"signal"}
    else:
        assert not exits
        assert not found
