"""The ONNX pair gives the same translations in onnxruntime, to the last token."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.storage import export as storage_export
from seq2seq_cli.text.tokenizer import BOS, EOS
from tests.exported import RECIPES, export, greedy, random_checkpoint, random_ids

for package in ("onnx", "onnxruntime"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_exported_pair_gives_the_same_tokens_for_200_sentences(recipe, tmp_path):
    checkpoint, sentences = random_checkpoint(recipe), random_ids()
    expected = greedy(checkpoint, sentences)
    network = export("onnx", checkpoint, tmp_path).load()
    assert network.translate(sentences) == expected
    assert [network.translate([ids])[0] for ids in sentences[:20]] == expected[:20]


def test_the_decoder_reads_what_the_encoder_returns_and_gives_probabilities_that_sum_to_one(tmp_path):
    network = export("onnx", random_checkpoint("3 networks, 2 layers, both priors"), tmp_path).load()
    names = [value.name for value in network.encoder.get_outputs()]
    assert names == ["hidden", "cell", "context", "lexical", "read"]
    assert {value.name for value in network.decoder.get_inputs()} == {"token", *names}
    encoded = network.encoder.run(None, {"source": np.array([[5, 6, EOS], [7, EOS, 0]]), "lengths": np.array([3, 2])})
    assert encoded[4].tolist() == [[5, 6, EOS], [7, EOS, -1]]
    outputs = network.decoder.run(None, {"token": np.array([BOS, BOS]), **dict(zip(names, encoded))})
    assert [value.name for value in network.decoder.get_outputs()] == ["log_probabilities", "next_hidden", "next_cell"]
    np.testing.assert_allclose(np.exp(outputs[0]).sum(axis=1), 1, rtol=1e-5)
    assert outputs[1].shape == encoded[0].shape


def test_settings_and_tokenizers_are_metadata_of_the_graphs(tmp_path):
    checkpoint = random_checkpoint("gru, 3 layers, reversed")
    network = export("onnx", checkpoint, tmp_path).load()
    for session in (network.encoder, network.decoder):
        found = {key: json.loads(text) for key, text in session.get_modelmeta().custom_metadata_map.items()}
        assert found["config"]["reverse_source"] is True
        assert found["tokenizer.source"] == checkpoint.source_tokenizer.to_json()
        assert found["tokenizer.target"] == checkpoint.target_tokenizer.to_json()


def test_a_bigram_prior_without_entries_adds_nothing(tmp_path):
    checkpoint, sentences = random_checkpoint("lstm, both priors"), random_ids()[:20]
    empty = np.zeros((0, 3), np.int32), np.zeros(0, np.int32)
    checkpoint.model.tables = checkpoint.model.tables._replace(bigrams=BigramTable(*empty, 34))
    assert export("onnx", checkpoint, tmp_path).load().translate(sentences) == greedy(checkpoint, sentences)


def test_nothing_to_translate_is_translated_to_nothing(tmp_path):
    network = export("onnx", random_checkpoint("lstm"), tmp_path).load()
    assert network.translate([]) == []
    assert network.translate([[], []]) == [[], []]


def test_a_model_that_one_file_cannot_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(storage_export, "LARGEST_ONNX", 1000)
    with pytest.raises(UserError, match="too large for ONNX") as caught:
        export("onnx", random_checkpoint("lstm"), tmp_path)
    assert caught.value.where.endswith("model.encoder.onnx")
    assert not list(tmp_path.iterdir())
