import numpy as np

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.inference.ensemble import Ensemble
from seq2seq_cli.inference.prepared_decoder import PreparedDecoder
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.packing import Packing

IDS, PACKING = np.array([3, 4, 5, 3, 4, 2]), Packing((3, 2, 1))


def models():
    return [random_model(ModelConfig(9, 5, cell, 3, 4), seed) for seed, cell in enumerate(("lstm", "gru"))]


def test_the_distribution_is_the_mean_of_the_models_distributions_at_every_step():
    ensemble = Ensemble([PreparedDecoder(model) for model in models()], IDS, PACKING)
    states = [model.encode(IDS, PACKING) for model in models()]
    rows = np.arange(3)
    for tokens in ([1, 1, 1], [3, 0]):
        z = ensemble.step(np.array(tokens)[:, None])
        expected = []
        for k, model in enumerate(models()):
            logits, states[k] = model.decode_step(states[k], np.array(tokens))
            expected.append(np.exp(log_softmax(logits)))
        np.testing.assert_allclose(np.exp(log_softmax(z)), np.mean(expected, axis=0), atol=1e-14)
        if len(rows) == 3:  # go on with two sentences, in another order
            rows = np.array([2, 0])
            ensemble.select(rows, rows)
            states = [state.select(rows) for state in states]
