"""Which files an export writes, and what it refuses; the networks are tested with their own modules."""

from __future__ import annotations

import re
import sys

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.storage import export
from seq2seq_cli.storage.export import FORMATS, plan_export, write_export
from tests.exported import random_checkpoint

CONTENTS = {"torch": [b"weights"], "onnx": [b"encoder", b"decoder"]}


@pytest.fixture(autouse=True)
def _without_packages(monkeypatch):
    """What does not depend on the formats' packages is tested without them."""
    monkeypatch.setattr(export, "find_spec", lambda package: package)
    monkeypatch.setattr(export, "_torch_file", lambda checkpoint: CONTENTS["torch"])
    monkeypatch.setattr(export, "_onnx_files", lambda checkpoint, planned: CONTENTS["onnx"])


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.npz").write_bytes(b"model")
    return tmp_path / "model.npz"


def names(planned):
    return [path.name for path in planned.files]


def test_an_export_has_files_for_the_weights_and_a_script(tmp_path, model):
    torch = plan_export("torch", tmp_path / "fr.pt", model)
    onnx = plan_export("onnx", tmp_path / "fr.onnx", model)
    assert names(torch) == ["fr.pt", "fr_torch.py"]
    assert names(onnx) == ["fr.encoder.onnx", "fr.decoder.onnx", "fr_onnx.py"]
    for kind, planned in (("torch", torch), ("onnx", onnx)):
        write_export(kind, planned, random_checkpoint("lstm"))
        assert [path.read_bytes() for path in planned.weights] == CONTENTS[kind]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["model.npz", *names(torch), *names(onnx)])


@pytest.mark.parametrize(
    ("name", "script"), [("de-en.v2", "de_en_v2"), ("2nd", "_2nd"), ("été", "été"), ("it's", "it_s")]
)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_script_can_be_imported_and_knows_the_names_of_its_files(kind, name, script, tmp_path, model):
    planned = plan_export(kind, tmp_path / f"{name}{FORMATS[kind].suffix}", model)
    write_export(kind, planned, random_checkpoint("lstm"))
    assert planned.script.name == f"{script}_{kind}.py"
    text = planned.script.read_text(encoding="utf-8")
    compile(text, "script", "exec")
    assert f"from {script}_{kind} import load" in text
    assert all(ascii(path.name) in text for path in planned.weights)
    assert "seq2seq_cli" not in re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)


def test_a_script_of_another_origin_is_not_replaced_and_one_of_ours_is(tmp_path, model):
    planned = plan_export("torch", tmp_path / "fr.pt", model)
    write_export("torch", planned, random_checkpoint("lstm"))
    plan_export("torch", tmp_path / "fr.pt", model)
    planned.script.write_text("mine = True\n")
    with pytest.raises(UserError, match="not written by 'seq2seq export'") as caught:
        plan_export("torch", tmp_path / "fr.pt", model)
    assert caught.value.exit_code == 1
    assert caught.value.where.endswith("fr_torch.py")


@pytest.mark.parametrize("kind", FORMATS)
def test_earlier_weights_are_backed_up_unless_they_are_the_same(kind, tmp_path, model):
    planned = plan_export(kind, tmp_path / f"fr{FORMATS[kind].suffix}", model)
    assert write_export(kind, planned, random_checkpoint("lstm")) == []
    assert write_export(kind, planned, random_checkpoint("lstm")) == []
    planned.weights[0].write_bytes(b"mine")
    [(path, backup)] = write_export(kind, planned, random_checkpoint("lstm"))
    assert (path, backup.read_bytes()) == (planned.weights[0], b"mine")
    assert path.read_bytes() == CONTENTS[kind][0]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission")
def test_the_model_is_not_overwritten_under_any_name(tmp_path, model):
    (tmp_path / "link.pt").symlink_to(model)
    (tmp_path / "hard.encoder.onnx").hardlink_to(model)
    for kind, name in (("torch", "link.pt"), ("onnx", "hard.onnx")):
        with pytest.raises(UserError, match="would be overwritten") as caught:
            plan_export(kind, tmp_path / name, model)
        assert caught.value.exit_code == 2
    assert model.read_bytes() == b"model"


@pytest.mark.parametrize("name", ["-", "model.npz", "fr", ".pt", "fr.onnx", "fr.pt/", "fr.PT"])
def test_an_output_must_have_the_suffix_of_its_format(name, tmp_path, model):
    output = type(tmp_path)(name) if name == "-" else tmp_path / name
    if name == "fr.pt/":
        output.mkdir()
    with pytest.raises(UserError) as caught:
        plan_export("torch", output, model)
    assert caught.value.exit_code == (1 if name == "fr.pt/" else 2)  # a folder is said to be one


def test_an_unknown_format_and_a_missing_package_are_explained(tmp_path, model, monkeypatch):
    with pytest.raises(UserError, match="--format must be one of torch, onnx, not 'tf'") as caught:
        plan_export("tf", tmp_path / "fr.pt", model)
    assert caught.value.exit_code == 2
    monkeypatch.setattr(export, "find_spec", lambda package: None)
    for kind, fix in (("torch", "pip install torch"), ("onnx", "pip install onnx onnxruntime")):
        with pytest.raises(UserError, match=f"needs the package '{kind}'") as caught:
            plan_export(kind, tmp_path / f"fr{FORMATS[kind].suffix}", model)
        assert (caught.value.exit_code, caught.value.fix) == (1, fix)
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_a_cell_that_the_formats_lack_is_refused_before_anything_is_written(tmp_path, model):
    checkpoint = random_checkpoint("lstm")
    object.__setattr__(checkpoint.model.config, "cell", "peephole")
    planned = plan_export("onnx", tmp_path / "fr.onnx", model)
    with pytest.raises(UserError, match="'peephole' cannot be exported"):
        write_export("onnx", planned, checkpoint)
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_a_failure_leaves_no_file_and_the_old_ones_as_they_were(tmp_path, model, monkeypatch):
    planned = plan_export("onnx", tmp_path / "fr.onnx", model)
    write_export("onnx", planned, random_checkpoint("lstm"))
    monkeypatch.setattr(export, "_onnx_files", lambda checkpoint, planned: [b"new", None])
    with pytest.raises(TypeError):
        write_export("onnx", planned, random_checkpoint("lstm"))
    assert [path.read_bytes() for path in planned.weights] == CONTENTS["onnx"]
    assert len(list(tmp_path.iterdir())) == 4
