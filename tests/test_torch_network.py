"""The network in PyTorch gives the same translations, to the last token, and learns like any other module."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.packing import Packing
from tests.exported import RECIPES, export, greedy, random_checkpoint, random_ids

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not installed", allow_module_level=True)

import torch


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_exported_network_gives_the_same_tokens_for_200_sentences(recipe, tmp_path):
    checkpoint, sentences = random_checkpoint(recipe), random_ids()
    expected = greedy(checkpoint, sentences)
    assert len({tuple(ids) for ids in expected}) > 20  # otherwise the test would show little
    assert export("torch", checkpoint, tmp_path).load().translate(sentences) == expected
