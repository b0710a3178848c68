import dataclasses

import numpy as np
import pytest

from seq2seq_cli.averaging import average
from seq2seq_cli.checkpoint import Checkpoint
from seq2seq_cli.config import ModelConfig, TokenizerConfig, TrainingConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.text.seen import Seen
from seq2seq_cli.text.storage import train_tokenizer

LINES = ["the cat sees the dog", "a bird sings"]


def checkpoint(seed=0, lines=LINES, **settings):
    tokenizer = train_tokenizer(TokenizerConfig("word", 50), lines)
    config = ModelConfig(len(tokenizer), len(tokenizer), embedding_size=5, hidden_size=6, **settings)
    model = Seq2Seq.create(config, np.random.default_rng(seed))
    return Checkpoint(model, tokenizer, tokenizer, TrainingConfig(), corpus="pairs.tsv")


def test_every_weight_is_the_mean_of_the_models_weights():
    models = [checkpoint(seed) for seed in range(3)]
    mean = average(models, ["a", "b", "c"])
    assert mean.averaged == ("a", "b", "c")
    assert mean.corpus == "pairs.tsv"
    for name, array in mean.model.parameters.items():
        each = [model.model.parameters[name].astype(np.float64) for model in models]
        np.testing.assert_array_equal(array, np.mean(each, axis=0).astype(np.float32))
    assert not np.array_equal(mean.model.parameters.flat, models[0].model.parameters.flat)


def test_the_mean_of_a_model_and_itself_is_that_model():
    mean = average([checkpoint(), checkpoint()], ["a", "a"])
    np.testing.assert_array_equal(mean.model.parameters.flat, checkpoint().model.parameters.flat)


def test_the_mean_knows_what_its_models_knew():
    first = dataclasses.replace(checkpoint(), history=[{"step": 1}], seen=Seen(3, frozenset({"cat"})))
    second = dataclasses.replace(
        checkpoint(), history=[{"step": 1}, {"step": 2}], seen=Seen(9, frozenset({"dog"})), corpus="more.tsv"
    )
    mean = average([first, second], ["a", "b"])
    assert mean.history == second.history
    assert mean.seen == Seen(9, frozenset({"cat", "dog"}))
    assert mean.corpus == "pairs.tsv, more.tsv"


DIFFERENT = [
    ({"cell": "gru"}, "--cell was lstm for one and gru for the other"),
    ({"dropout": 0.5}, "--dropout was 0.1"),
    ({"layers": 2}, "--layers was 1"),
    ({"lines": ["other words"]}, "source vocabularies differ"),
]


@pytest.mark.parametrize(("changes", "message"), DIFFERENT)
def test_models_that_do_not_go_together_are_refused_with_what_differs(changes, message):
    with pytest.raises(UserError, match=message) as caught:
        average([checkpoint(), checkpoint(), checkpoint(**changes)], ["a.npz", "b.npz", "c.npz"])
    assert caught.value.where == "a.npz and c.npz"
