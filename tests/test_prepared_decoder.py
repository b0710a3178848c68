import numpy as np
import pytest

from seq2seq_cli.inference.prepared_decoder import PreparedDecoder
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.packing import Packing
from tests.models import SOURCE_VOCABULARY, TARGET_VOCABULARY, config_id, every_config

PACKING = Packing((4, 2, 1))


@pytest.mark.parametrize("config", list(every_config()), ids=config_id)
def test_steps_equal_those_of_the_model_for_every_hypothesis(config):
    model = random_model(config)
    generator = np.random.default_rng(0)
    source = generator.integers(0, SOURCE_VOCABULARY, PACKING.tokens)
    decoder = PreparedDecoder(model)
    states, constants = decoder.start(source, PACKING)
    expected = model.encode(source, PACKING)
    rows, width = np.arange(3), 1
    for _ in range(3):  # one hypothesis of each sentence, then two of each, in another order, of fewer sentences
        tokens = generator.integers(0, TARGET_VOCABULARY, (len(rows) // width, width))
        logits, states = decoder.step(states, constants, tokens)
        known, expected = model.decode_step(expected, tokens.reshape(-1))
        np.testing.assert_allclose(logits, known, rtol=0, atol=1e-13)
        if width == 1:
            kept = np.array([2, 0])
            rows, width = np.array([2, 2, 0, 0]), 2
            states = [tuple(part[rows] for part in state) for state in states]
            expected, constants = expected.select(rows), constants.select(kept)
