import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.inference.forward_cells import FORWARD_CELLS
from seq2seq_cli.inference.prepared_decoder import PreparedDecoder, prepare_decoder
from seq2seq_cli.inference.step_decoder import DefinitionDecoder
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.packing import Packing
from tests.models import SOURCE_VOCABULARY, TARGET_VOCABULARY, config_id, every_config

PACKING = Packing((4, 2, 1))


@pytest.mark.parametrize("config", list(dict.fromkeys(every_config(layers=2, tie_embeddings=False))), ids=config_id)
def test_the_definitions_steps_equal_the_prepared_ones_with_several_hypotheses_of_each_sentence(config):
    model, generator = random_model(config), np.random.default_rng(0)
    source = generator.integers(0, SOURCE_VOCABULARY, PACKING.tokens)
    decoders = [DefinitionDecoder(model), PreparedDecoder(model)]
    started = [decoder.start(source, PACKING) for decoder in decoders]
    rows, tokens = np.repeat(np.arange(3), 2), generator.integers(0, TARGET_VOCABULARY, (3, 2))
    found = []
    for decoder, (states, constants) in zip(decoders, started):
        states = [tuple(part[rows] for part in state) for state in states]
        logits, states = decoder.step(states, constants, tokens)
        found.append([logits, *(part for state in states for part in state)])
    for definition, prepared in zip(*found):
        np.testing.assert_allclose(definition, prepared, rtol=0, atol=1e-13)


def test_only_a_cell_without_a_fast_twin_is_decoded_by_the_definition(monkeypatch):
    model = random_model(ModelConfig(7, 6, "gru", 3, 4))
    assert isinstance(prepare_decoder(model), PreparedDecoder)
    monkeypatch.delitem(FORWARD_CELLS, "gru")
    assert isinstance(prepare_decoder(model), DefinitionDecoder)
