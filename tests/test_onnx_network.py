"""The ONNX pair gives the same translations in onnxruntime, to the last token."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from tests.exported import RECIPES, export, greedy, random_checkpoint, random_ids

for package in ("onnx", "onnxruntime"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_exported_pair_gives_the_same_tokens_for_200_sentences(recipe, tmp_path):
    checkpoint, sentences = random_checkpoint(recipe), random_ids()
    expected = greedy(checkpoint, sentences)
    assert export("onnx", checkpoint, tmp_path).load().translate(sentences) == expected
