import math

import numpy as np
import pytest

from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.explanation import forced_decoding
from seq2seq_cli.inference.prepared_decoder import Stepper
from seq2seq_cli.inference.search import search
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.packing import Packing
from tests.models import config_id, every_config

START, END = 1, 2
SOURCE = [3, 5, 4, 6, 2]


@pytest.mark.parametrize("config", list(every_config()), ids=config_id)
def test_the_product_of_the_probabilities_is_the_one_that_the_search_found(config):
    model = random_model(config)
    best = search([Stepper(model)], [SOURCE], SearchConfig(beam=4), START, END)[0][0]
    choices = forced_decoding([model], SOURCE, [*best.tokens, END], START)
    assert [choice.token for choice in choices] == [*best.tokens, END]
    assert sum(math.log(choice.probability) for choice in choices) == pytest.approx(best.log_probability, abs=1e-9)


def test_an_ensembles_probabilities_are_the_mean_of_the_models():
    config = next(every_config())
    models = [random_model(config, seed) for seed in (0, 1, 2)]
    best = search([Stepper(model) for model in models], [SOURCE], SearchConfig(beam=3), START, END)[0][0]
    target = [*best.tokens, END]
    together = forced_decoding(models, SOURCE, target, START)
    alone = [forced_decoding([model], SOURCE, target, START) for model in models]
    for step, choice in enumerate(together):
        assert choice.probability == pytest.approx(np.mean([choices[step].probability for choices in alone]))
    assert sum(math.log(choice.probability) for choice in together) == pytest.approx(best.log_probability, abs=1e-9)


def test_the_runners_up_are_the_most_probable_others_highest_first():
    model = random_model(next(every_config()))
    choices = forced_decoding([model], SOURCE, [3, END], START, runners_up=2)
    state = model.encode(np.array(SOURCE), Packing.of([len(SOURCE)]))
    logits, _ = model.decode_step(state, np.array([START]))
    first = np.exp(log_softmax(logits[0]))
    expected = [k for k in np.argsort(-first) if k != 3][:2]
    assert [token for token, _ in choices[0].runners_up] == expected
    assert [p for _, p in choices[0].runners_up] == pytest.approx(first[expected])
    assert all(token != choice.token for choice in choices for token, _ in choice.runners_up)


def test_a_distribution_with_all_its_tokens_sums_to_one():
    model = random_model(next(every_config()))
    (choice,) = forced_decoding([model], SOURCE, [END], START, runners_up=100)
    assert choice.probability + sum(p for _, p in choice.runners_up) == pytest.approx(1)
