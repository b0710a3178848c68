import dataclasses

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.explanation import forced_decoding
from seq2seq_cli.nn.bigram_prior import (
    BACKOFF,
    BIGRAM_GATE,
    NO_TOKEN,
    SMALLEST_PROBABILITY,
    BigramFeatures,
    BigramTable,
    GatedBigrams,
    token_rows,
)
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import check_gradients, numeric_gradient, random_model, relative_errors
from seq2seq_cli.nn.lexical_prior import Gate
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.parameters import initialize
from seq2seq_cli.storage.checkpoint import TrainingState, load_model, load_state, save_model, save_state
from seq2seq_cli.text.tokenizer import EOS
from tests.models import config_id, dropout_errors, every_config, random_batch
from tests.test_checkpoint import members, small_checkpoint

CONFIGS = [config for config in every_config(bigram_prior=True) if config.layers == 1]
SMALL = [config for config in every_config(bigram_prior=True, embedding_size=2, hidden_size=2) if config.layers == 1]
PACKING = Packing((4, 2, 1))
V_SOURCE, V_TARGET = 4, 6


def random_occurrences(count=60):
    generator = np.random.default_rng(0)
    return [generator.integers(V, size=count) for V in (V_SOURCE, V_TARGET, V_TARGET)]


def by_definition(occurrences, source, u, v, reference=None):
    """p(v | u, x) in plain loops; an occurrence of the reference is left out."""
    best = 0.0
    for s in source:
        following = [token for a, b, token in zip(*occurrences) if (a, b) == (s, u)]
        if reference in following:
            following.remove(reference)
        best = max(best, following.count(v) / (len(following) + BACKOFF))
    return best


@pytest.mark.parametrize("training", [False, True])
def test_features_are_the_logarithm_of_the_definition(training):
    occurrences, generator = random_occurrences(), np.random.default_rng(1)
    sources = np.array([[0, 1, 0], [3, 2, NO_TOKEN], [1, NO_TOKEN, NO_TOKEN], [2, 2, 1]])
    previous, references = generator.integers(V_TARGET, size=(2, 4))
    table = BigramTable.count(*occurrences, V_TARGET, 1000)
    found = table.features(sources, previous, references if training else None, np.float64)
    dense = np.zeros((4, V_TARGET))
    dense.reshape(-1)[found.places] = found.values
    for row, (source, u, reference) in enumerate(zip(sources, previous, references)):
        for v in range(V_TARGET):
            p = by_definition(occurrences, source[source != NO_TOKEN], u, v, reference if training else None)
            assert dense[row, v] == pytest.approx(np.log(1 + p / SMALLEST_PROBABILITY), abs=1e-12)
    assert (np.diff(found.places) > 0).all()
    assert table.features(sources, previous).values.dtype == np.float32


def test_leaving_one_out_gives_what_a_table_without_that_occurrence_gives():
    s, u, v = random_occurrences()
    table = BigramTable.count(s, u, v, V_TARGET, 1000)
    for k in range(len(s)):
        others = BigramTable.count(*(np.delete(side, k) for side in (s, u, v)), V_TARGET, 1000)
        places = [s[[k]][None], u[[k]]]
        found, expected = table.features(*places, v[[k]]), others.features(*places)
        dense = [np.zeros(V_TARGET, np.float32) for _ in range(2)]
        for values, features in zip(dense, (found, expected)):
            values[features.places] = features.values
        np.testing.assert_array_equal(*dense)


def test_a_table_keeps_the_most_frequent_triples():
    s, u, v = np.array([[0, 0, 0, 1, 1, 2], [3, 3, 3, 4, 4, 5], [1, 1, 1, 2, 2, 0]])
    assert BigramTable.count(s, u, v, V_TARGET, 3).counts.tolist() == [3, 2, 1]
    table = BigramTable.count(s, u, v, V_TARGET, 2)
    assert table.triples.tolist() == [[0, 3, 1], [1, 4, 2]]
    assert table.counts.tolist() == [3, 2]


def test_an_empty_table_says_nothing():
    nothing = np.zeros(0, np.int64)
    found = BigramTable.count(nothing, nothing, nothing, V_TARGET, 10).features(np.array([[1, 2]]), np.array([3]))
    assert len(found.places) == len(found.values) == 0


def test_rows_of_tokens_are_the_sentences():
    assert token_rows(np.array([1, 2, 3, 4, 5, 6, 7]), PACKING).tolist() == [
        [1, 4, 6, 7],
        [2, 5, NO_TOKEN, NO_TOKEN],
        [3, NO_TOKEN, NO_TOKEN, NO_TOKEN],
    ]


def test_gate_gradients_match_finite_differences():
    generator = np.random.default_rng(0)
    top, weight, bias = (generator.standard_normal(shape) for shape in ((5, 3), (1, 3), (1,)))
    upstream = generator.standard_normal((5, 4))
    features = BigramFeatures(np.array([0, 3, 4, 11, 13, 19]), generator.standard_normal(6))
    prior = GatedBigrams(features, Gate(weight, bias, np.zeros((1, 3)), np.zeros(1)))

    def total() -> float:
        z = np.zeros((5, 4))
        prior.add(z, top, 0)
        return float((z * upstream).sum())

    d_top = prior.backward(upstream, top, 0)
    for derived, x in ((d_top, top), (prior.gate.d_weight, weight), (prior.gate.d_bias, bias)):
        assert relative_errors(derived, numeric_gradient(total, x)).max() < 1e-9


@pytest.mark.parametrize("config", SMALL, ids=config_id)
def test_gradients_match_finite_differences_for_every_parameter(config):
    checks = {check.name: check for check in check_gradients(random_model(config), random_batch())}
    assert {f"{BIGRAM_GATE}.weight", f"{BIGRAM_GATE}.bias"} <= checks.keys()
    for check in checks.values():
        assert check.worst < 1e-6, check.name


def test_gradients_match_finite_differences_with_both_priors():
    config = ModelConfig(7, 6, embedding_size=2, hidden_size=2, lexical_prior=True, bigram_prior=True)
    for check in check_gradients(random_model(config), random_batch()):
        assert check.worst < 1e-6, check.name


def test_gradients_match_finite_differences_with_dropout():
    config = ModelConfig(7, 6, embedding_size=3, hidden_size=4, dropout=0.4, lexical_prior=True, bigram_prior=True)
    for name, error in dropout_errors(random_model(config)).items():
        assert error < 1e-6, name


def test_an_explanation_holds_the_priors_probability_and_its_gate():
    model, source = random_model(CONFIGS[0]), [3, 5, 4, EOS]
    state, previous = model.encode(np.array(source), Packing((4,))), 1
    for choice in forced_decoding([model], source, [3, 4, 2], bos=1):
        top, state = model.advance(state, np.array([previous]))
        bare = model.logits(top, state._replace(sources=None), np.array([previous]))
        features = np.zeros(6)
        found = model.tables.bigrams.features(np.array([source]), np.array([previous]), dtype=np.float64)
        features[found.places] = found.values
        assert choice.bigram_prior == pytest.approx(np.expm1(features[choice.token]) * SMALLEST_PROBABILITY)
        with_prior = np.exp(log_softmax(bare + choice.bigram_gate * features))
        assert choice.probability == pytest.approx(with_prior[0, choice.token])
        previous = choice.token


def test_other_parameters_start_as_without_the_prior():
    config = ModelConfig(7, 6, embedding_size=3, hidden_size=4)
    plain = initialize(config, np.random.default_rng(0))
    found = initialize(dataclasses.replace(config, bigram_prior=True), np.random.default_rng(0))
    np.testing.assert_array_equal(found.flat[: len(plain.flat)], plain.flat)
    assert not found[f"{BIGRAM_GATE}.weight"].any()
    assert found[f"{BIGRAM_GATE}.bias"].tolist() == [np.float32(0.3)]


def bigram_checkpoint():
    checkpoint = small_checkpoint(bigram_prior=True)
    checkpoint.model.tables = random_model(checkpoint.model.config).tables
    return checkpoint


def test_a_saved_table_loads_the_same(tmp_path):
    checkpoint = bigram_checkpoint()
    save_model(tmp_path / "m.npz", checkpoint)
    save_state(
        tmp_path / "m.state.npz", checkpoint, TrainingState(dict.fromkeys("mv", checkpoint.model.parameters.flat), {})
    )
    for loaded in (load_model(tmp_path / "m.npz"), load_state(tmp_path / "m.state.npz")[0]):
        found, expected = loaded.model.tables.bigrams, checkpoint.model.tables.bigrams
        np.testing.assert_array_equal(found.triples, expected.triples)
        np.testing.assert_array_equal(found.counts, expected.counts)
        assert loaded.model.tables.lexicon is None


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("bigrams.triples"),
        lambda m: m.pop("bigrams.counts"),
        lambda m: m.update({"bigrams.counts": m["bigrams.counts"][:-1]}),
        lambda m: m.update({"bigrams.counts": m["bigrams.counts"] * 0}),
        lambda m: m.update({"bigrams.counts": m["bigrams.counts"].astype(np.int64)}),
        lambda m: m.update({"bigrams.counts": m["bigrams.counts"][:, 0]}),
        lambda m: m.update({"bigrams.triples": m["bigrams.triples"][:, :2]}),
        lambda m: m.update({"bigrams.triples": m["bigrams.triples"][::-1].copy()}),
        lambda m: m.update({"bigrams.triples": m["bigrams.triples"].repeat(2, axis=0)[: len(m["bigrams.triples"])]}),
        lambda m: m.update({"bigrams.triples": m["bigrams.triples"] - 1}),
        lambda m: m.update({"bigrams.triples": m["bigrams.triples"] + 1000}),
    ],
)
def test_a_damaged_table_is_refused(change, tmp_path):
    save_model(tmp_path / "m.npz", bigram_checkpoint())
    content = members(tmp_path / "m.npz")
    del content["checksums"]
    change(content)
    np.savez(tmp_path / "m.npz", **content)
    with pytest.raises(UserError, match="damaged"):
        load_model(tmp_path / "m.npz")


def test_a_model_without_its_table_says_so():
    model = create_model(CONFIGS[0], np.random.default_rng(0))
    with pytest.raises(ValueError, match="needs its table"):
        model.loss(random_batch())
