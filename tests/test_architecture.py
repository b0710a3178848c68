"""The architecture of DESIGN.md: packages in layers, imports that only go down, and what only one package may use."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "seq2seq_cli"
LAYERS = {
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
"""The table of DESIGN.md, which never differs from it."""
SUBPACKAGES = {"cli": {"commands", "terminal"}}
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem not in ("__init__", "__main__")
)
THIRD_PARTY = {"numpy": None, "sacrebleu": {"evaluation"}, "typer": {"cli"}, "rich": {"cli"}, "matplotlib": {"cli"}}
THIRD_PARTY |= {name: {"storage"} for name in ("torch", "onnx", "onnxruntime")}
THIRD_PARTY |= {"mpi4py": {"inference"}}
MAX_LINES = 350
CALLBACKS = {
    ("nn/teaching.py", "loss_fn"),  # the promised signature of seq2seq_loss
    ("nn/optimizers.py", "zeros"),  # allocates the moments, in shared memory for several workers
    ("nn/gradcheck.py", "function"),  # whose derivative is estimated
}
"""Parameters that are functions, outside of the command line."""

each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))


def package(path: Path) -> str:
    """The package of a file: ``nn``, ``cli``, ``training`` …"""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path, types_too: bool = True) -> set[str]:
    """Everything that a module imports, also where it is first needed; ``types_too``: and what only types need."""
    found: set[str] = set()
    nodes: list[ast.AST] = [tree(path)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not types_too:
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: imports are absolute"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_packages_are_exactly_those_of_the_design():
    assert {package(path) for path in MODULES} == set(LAYERS)
    for name in LAYERS:
        folder = PACKAGE / name
        inner = {path.parent.relative_to(folder).parts[0] for path in folder.rglob("*.py") if path.parent != folder}
        assert inner == SUBPACKAGES.get(name, set())


@each_module
def test_imports_only_go_down_the_layers(path):
    own = package(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "seq2seq_cli" and len(parts) > 1 and parts[1] in LAYERS:
            below = LAYERS[parts[1]] < LAYERS[own] or (own, parts[1]) == ("config", "errors")  # which share a layer
            assert parts[1] == own or below, f"{own} must not import {name}"


def test_no_modules_import_each_other_in_a_circle():
    names = {module_name(path): path for path in MODULES}
    graph = {name: (imports(path, types_too=False) & names.keys()) - {name} for name, path in names.items()}
    for name in graph:  # a package's __init__ imports its modules; a module of it needs none of what that offers
        package = name.rpartition(".")[0]
        graph[name] = {other for other in graph[name] if other != package or f"{package}." not in f"{name}."}
    try:
        assert list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@each_module
def test_no_module_has_more_than_350_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@each_module
def test_each_package_is_used_only_where_it_belongs(path):
    for name in imports(path):
        packages = THIRD_PARTY.get(name.split(".")[0])
        assert packages is None or package(path) in packages, f"{package(path)} must not import {name}"


@each_module
def test_nothing_is_printed_past_the_console(path):
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    printing = [f"{path}:{node.lineno}" for node in calls if node.func.id == "print"]
    if path.name == "console.py":
        assert len(printing) == 1  # the line that writes to stderr
    else:
        assert not printing


@each_module
def test_only_the_command_line_knows_signals_exit_codes_and_arguments(path):
    if package(path) == "cli":
        return
    exits, known = [], imports(path) & {"signal", "argparse", "click"}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in ("exit", "quit", "input"), f"{path}:{node.lineno}"
            exits += [name] if name in ("sys.exit", "os._exit", "os.abort") else []
            codes = [each.arg for each in node.keywords if each.arg == "exit_code"]
            assert not codes or path.name == "errors.py", f"{path}:{node.lineno}: usage_error says that it is usage"
        assert not (isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.argv"), f"{path}:{node.lineno}"
        assert not (isinstance(node, ast.Name) and node.id == "SystemExit"), f"{path}:{node.lineno}"
    if path.name == "workers.py":
        # Here a forked process ends, not the program: without tidying up what belongs to the one it was forked from,
        # to which it also leaves the signals.
        assert (exits, known) == (["os._exit"], {"signal"})
    else:
        assert (exits, known) == ([], set())


@each_module
def test_no_file_can_execute_code(path):
    assert not imports(path) & {"pickle", "marshal", "shelve"}
    calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    assert not [each for each in calls if isinstance(each, ast.Name) and each.id in ("eval", "exec")]


@each_module
def test_nothing_passes_a_callback_of_the_command_line_down(path):
    if package(path) == "cli":
        return
    module = tree(path)
    aliases = {"Callable"}  # and names that this module gives to it
    for node in module.body:
        if isinstance(node, ast.Assign) and _names(node.value) & aliases:
            aliases |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    place = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
                if each is not None and each.annotation is not None and _names(each.annotation) & aliases:
                    assert (place, each.arg) in CALLBACKS, f"{path}:{node.lineno}: {each.arg}"


def _names(node: ast.AST) -> set[str]:
    """The names in an expression, also in one that is a text."""
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    found |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    texts = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return found | {name for text in texts for name in text.replace("[", " ").replace(",", " ").split()}
