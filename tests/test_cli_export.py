"""``seq2seq export`` from a trained model file to translated text, with the script that it writes."""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys

import pytest

from tests.conftest import PAIRS, SMALL, assert_explained, environment, write_pairs

NEEDS = {"torch": ("torch",), "onnx": ("onnx", "onnxruntime")}
OUTPUTS = {"torch": "fr.pt", "onnx": "fr.onnx"}
RECIPES = {
    "bpe": (),
    "word": ("--tokenizer", "word", "--lowercase", "--reverse-source", "--lexical-prior", "--cell", "gru"),
    "char": ("--tokenizer", "char", "--members", "2", "--layers", "2", "--bigram-prior", "--lexical-prior"),
}
FORMATS = [
    pytest.param(
        kind,
        marks=pytest.mark.skipif(
            any(importlib.util.find_spec(package) is None for package in packages),
            reason=f"{' or '.join(packages)} is not installed",
        ),
    )
    for kind, packages in NEEDS.items()
]


@pytest.fixture(scope="session")
def models(tmp_path_factory, trained):
    """A folder with a small trained model of each recipe, and 200 sentences of words that they know and of others."""
    from tests.conftest import run_cli

    folder = tmp_path_factory.mktemp("exported")
    write_pairs(folder / "p.tsv")
    (folder / "bpe.npz").write_bytes((trained / "model.npz").read_bytes())
    for name in ("word", "char"):
        small = [each for pair in zip(SMALL[::2], SMALL[1::2]) if pair[0] not in RECIPES[name] for each in pair]
        flags = (*small, *RECIPES[name], "--epochs", "4", "--learning-rate", "0.01")
        result = run_cli("train", "p.tsv", "-o", f"{name}.npz", *flags, cwd=folder)
        assert result.returncode == 0, result.stderr.decode()
    words = [*(word for word, *_ in PAIRS[::42]), "unknown"]  # which translate reads as they are written
    generator = random.Random(5)
    lines = [" ".join(generator.choices(words, k=k % 9)) for k in range(200)]
    (folder / "in.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", FORMATS)
def test_the_script_of_an_export_translates_200_lines_as_translate_does(kind, recipe, models, cli, tmp_path):
    text = (models / "in.txt").read_bytes()
    model = models / f"{recipe}.npz"
    before = model.read_bytes()
    result = cli("export", model, "--format", kind, "-o", OUTPUTS[kind])
    assert (result.returncode, result.stdout) == (0, b""), result.stderr.decode()
    assert f"fr_{kind}.py loads and runs" in result.stderr.decode()
    assert model.read_bytes() == before
    ids = cli("tokenizer", "encode", "-t", model, "--ids", stdin=text).stdout
    command = [sys.executable, f"fr_{kind}.py"]
    ran = subprocess.run(command, input=ids, capture_output=True, cwd=tmp_path, env=environment(PYTHONPATH=""))
    assert ran.returncode == 0, ran.stderr.decode()
    found = cli("tokenizer", "decode", "-t", model, "--ids", stdin=ran.stdout).stdout
    flags = ("--beam", "1", "--no-copy-unknown", "--quiet", "--threads", "1")
    expected = cli("translate", "-m", model, *flags, stdin=text).stdout
    assert found == expected
    assert found.count(b"\n") == 200
    assert len(set(found.splitlines())) > 50


def test_wrong_usage_is_explained(cli, tmp_path, trained):
    model = trained / "model.npz"
    assert_explained(cli("export", model, "--format", "tf", "-o", "x.pb"), 2, "--format must be one of torch, onnx")
    assert_explained(cli("export", model, "-o", "x.pt"), 2, "--format")
    assert_explained(cli("export", model, "--format", "torch"), 2, "--output")
    assert_explained(cli("export", model, "--format", "torch", "-o", "model.npz"), 2, ".pt", "model.npz")
    assert_explained(cli("export", model, "--format", "onnx", "-o", "-"), 2, ".onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", FORMATS)
def test_bad_files_are_explained_before_anything_is_written(kind, cli, tmp_path, trained):
    flags = ("--format", kind, "-o", OUTPUTS[kind])
    assert_explained(cli("export", *flags), 1, "no such file", "model.npz")
    (tmp_path / "model.npz").write_bytes(b"x")
    assert_explained(cli("export", *flags), 1, "not a model file")
    assert_explained(cli("export", trained / "model.state.npz", *flags), 1, "not a seq2seq model")
    assert_explained(cli("export", *flags[:3], f"nowhere/{OUTPUTS[kind]}"), 1, "no such folder")
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize(("kind", "package"), [("torch", "torch"), ("onnx", "onnx")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(kind, package, cli, tmp_path, trained):
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    result = cli("export", trained / "model.npz", "--format", kind, "-o", OUTPUTS[kind])
    assert_explained(result, 1, f"needs the package '{package}'", "pip install")
