import math

import numpy as np
import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.explanation import forced_decoding
from seq2seq_cli.inference.prepared_decoder import PreparedDecoder
from seq2seq_cli.inference.search import search
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.packing import Packing
from tests.models import config_id, every_config

BOS, EOS = 1, 2
SOURCE = [3, 5, 4, 6, 2]


@pytest.mark.parametrize("config", list(every_config()), ids=config_id)
def test_the_product_of_the_probabilities_is_the_one_that_the_search_found(config):
    model = random_model(config)
    best = search([PreparedDecoder(model)], [SOURCE], SearchConfig(beam=4), BOS, EOS)[0][0]
    choices = forced_decoding([model], SOURCE, [*best.tokens, EOS], BOS)
    assert [choice.token for choice in choices] == [*best.tokens, EOS]
    assert sum(math.log(choice.probability) for choice in choices) == pytest.approx(best.log_probability, abs=1e-9)


def test_an_ensembles_probabilities_are_the_mean_of_the_models():
    config = next(every_config())
    models = [random_model(config, seed) for seed in (0, 1, 2)]
    best = search([PreparedDecoder(model) for model in models], [SOURCE], SearchConfig(beam=3), BOS, EOS)[0][0]
    target = [*best.tokens, EOS]
    together = forced_decoding(models, SOURCE, target, BOS)
    alone = [forced_decoding([model], SOURCE, target, BOS) for model in models]
    for step, choice in enumerate(together):
        assert choice.probability == pytest.approx(np.mean([choices[step].probability for choices in alone]))
    assert sum(math.log(choice.probability) for choice in together) == pytest.approx(best.log_probability, abs=1e-9)


def test_the_alternatives_are_the_most_probable_others_highest_first():
    model = random_model(next(every_config()))
    choices = forced_decoding([model], SOURCE, [3, EOS], BOS, alternatives=2)
    state = model.encode(np.array(SOURCE), Packing.of([len(SOURCE)]))
    logits, _ = model.decode_step(state, np.array([BOS]))
    first = np.exp(log_softmax(logits[0]))
    expected = [k for k in np.argsort(-first) if k != 3][:2]
    assert [token for token, _ in choices[0].alternatives] == expected
    assert [p for _, p in choices[0].alternatives] == pytest.approx(first[expected])
    assert all(token != choice.token for choice in choices for token, _ in choice.alternatives)


def test_a_distribution_with_all_its_tokens_sums_to_one():
    model = random_model(next(every_config()))
    (choice,) = forced_decoding([model], SOURCE, [EOS], BOS, alternatives=100)
    assert choice.probability + sum(p for _, p in choice.alternatives) == pytest.approx(1)
