import numpy as np
import pytest

from seq2seq_cli.inference.prepared_encoder import PreparedEncoder
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.packing import Packing
from tests.models import SOURCE_VOCABULARY, config_id, every_config


@pytest.mark.parametrize("config", list(every_config()), ids=config_id)
@pytest.mark.parametrize("lengths", [(4, 2, 2, 1), (3,)])
def test_reading_equals_the_models_encoding(config, lengths):
    model, packing = random_model(config), Packing(lengths)
    source = np.random.default_rng(0).integers(0, SOURCE_VOCABULARY, packing.tokens)
    encoder = PreparedEncoder(model)
    for _ in range(2):  # new tokens, then known ones
        states, context, *_ = encoder.encode(source, packing)
        expected_states, expected_context, *_ = model.encode(source, packing)
        for state, expected in zip(states, expected_states):
            for part, known in zip(state, expected):
                np.testing.assert_allclose(part, known, rtol=0, atol=1e-13)
        assert (context is None) == (expected_context is None)
        if context is not None:
            np.testing.assert_allclose(context, expected_context, rtol=0, atol=1e-13)
