"""The network in PyTorch gives the same translations, to the last token, and learns like any other module."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from seq2seq_cli.inference.explanation import forced_decoding
from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.text.tokenizer import BOS, EOS, finish_source
from tests.exported import RECIPES, export, greedy, random_checkpoint, random_ids

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed", allow_module_level=True)


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_exported_network_gives_the_same_tokens_for_200_sentences(recipe, tmp_path):
    checkpoint, sentences = random_checkpoint(recipe), random_ids()
    expected = greedy(checkpoint, sentences)
    assert len({tuple(ids) for ids in expected}) > 40  # otherwise the test would show little
    network = export("torch", checkpoint, tmp_path).load()
    assert network.translate(sentences) == expected
    assert [network.translate([ids])[0] for ids in sentences[:20]] == expected[:20]


@pytest.mark.parametrize("recipe", RECIPES)
def test_teacher_forcing_gives_the_probabilities_of_the_definition(recipe, tmp_path):
    import torch

    checkpoint = random_checkpoint(recipe)
    network = export("torch", checkpoint, tmp_path).load()
    sentences, targets = [[5, 9, 9, 20, 4], [7]], [[8, 30, 11], [12, 12, 12]]
    reverse = checkpoint.model.config.reverse_source
    read = [torch.tensor(finish_source(ids, reverse)) for ids in sentences]
    source = torch.nn.utils.rnn.pad_sequence(read, batch_first=True)
    lengths = torch.tensor([len(ids) for ids in read])
    log_probabilities = network(source, lengths, torch.tensor([[BOS, *ids] for ids in targets]))
    for row, ids, target in zip(log_probabilities.detach(), read, targets):
        steps = forced_decoding(checkpoint.model.members, ids.tolist(), [*target, EOS], BOS)
        found = [row[t, token].exp().item() for t, token in enumerate([*target, EOS])]
        np.testing.assert_allclose(found, [step.probability for step in steps], rtol=1e-4)


def test_an_exported_network_has_a_gradient_for_every_parameter(tmp_path):
    import torch

    network = export("torch", random_checkpoint("3 networks, 2 layers, both priors"), tmp_path).load()
    loss = -network(torch.tensor([[4, 5, EOS]]), torch.tensor([3]), torch.tensor([[BOS, 6, 7]])).mean()
    loss.backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters())


@pytest.mark.parametrize("recipe", ["plain lstm", "3 networks, 2 layers, both priors"])
def test_the_state_has_the_names_and_values_of_the_model_file(recipe, tmp_path):
    import torch

    checkpoint = random_checkpoint(recipe)
    export("torch", checkpoint, tmp_path)
    saved = torch.load(tmp_path / "model.pt", weights_only=True)
    for name, array in checkpoint.model.parameters.items():
        assert np.array_equal(saved["state_dict"][name].numpy(), array), name
    assert saved["tokenizer.target"] == checkpoint.target_tokenizer.to_json()
    assert saved["config"]["members"] == checkpoint.model.config.members


def test_a_bigram_prior_without_entries_adds_nothing(tmp_path):
    checkpoint, sentences = random_checkpoint("lstm, both priors"), random_ids()[:20]
    empty = np.zeros((0, 3), np.int32), np.zeros(0, np.int32)
    checkpoint.model.tables = checkpoint.model.tables._replace(bigrams=BigramTable(*empty, 34))
    assert export("torch", checkpoint, tmp_path).load().translate(sentences) == greedy(checkpoint, sentences)


def test_nothing_to_translate_is_translated_to_nothing(tmp_path):
    network = export("torch", random_checkpoint("lstm"), tmp_path).load()
    assert network.translate([]) == []
    assert network.translate([[], []]) == [[], []]
