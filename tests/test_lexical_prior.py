import dataclasses
import json

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, SearchConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.beam import beam_search
from seq2seq_cli.inference.ensemble import Ensemble
from seq2seq_cli.inference.explanation import forced_decoding, lexical_prior
from seq2seq_cli.inference.greedy import greedy_search
from seq2seq_cli.inference.hypothesis import SpecialTokens
from seq2seq_cli.inference.prepared_decoder import PreparedDecoder
from seq2seq_cli.inference.step_decoder import DefinitionDecoder
from seq2seq_cli.nn.functional import log_softmax
from seq2seq_cli.nn.gradcheck import check_gradients, numeric_gradient, random_model, relative_errors
from seq2seq_cli.nn.lexical_prior import (
    LEXICAL_GATE,
    SMALLEST_PROBABILITY,
    Gate,
    GatedPrior,
    Lexicon,
)
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.nn.packing import Packing
from seq2seq_cli.nn.parameters import initialize
from seq2seq_cli.storage.checkpoint import TrainingState, load_model, load_state, save_model, save_state
from tests.models import config_id, dropout_errors, every_config, random_batch
from tests.test_checkpoint import members, small_checkpoint, without_normalization

CONFIGS = [config for config in every_config(lexical_prior=True) if config.layers == 1]
WITH_EITHER_PRIOR = CONFIGS + [config for config in every_config(bigram_prior=True) if config.layers == 1]
SMALL = [config for config in every_config(lexical_prior=True, embedding_size=2, hidden_size=2) if config.layers == 1]
PACKING = Packing((4, 2, 1))


@pytest.mark.parametrize("config", SMALL, ids=config_id)
def test_gradients_match_finite_differences_for_every_parameter(config):
    checks = {check.name: check for check in check_gradients(random_model(config), random_batch())}
    assert {f"{LEXICAL_GATE}.weight", f"{LEXICAL_GATE}.bias"} <= checks.keys()
    for check in checks.values():
        assert check.worst < 1e-6, check.name


def test_gradients_match_finite_differences_with_dropout():
    config = ModelConfig(7, 6, embedding_size=3, hidden_size=4, dropout=0.4, lexical_prior=True)
    for name, error in dropout_errors(random_model(config)).items():
        assert error < 1e-6, name


def test_gate_gradients_match_finite_differences():
    generator = np.random.default_rng(0)
    top, weight, bias = (generator.standard_normal(shape) for shape in ((5, 3), (1, 3), (1,)))
    features, upstream = generator.standard_normal((2, 4)), generator.standard_normal((5, 4))
    prior = GatedPrior(features, np.array([1, 0, 1, 1, 0]), Gate(weight, bias, np.zeros((1, 3)), np.zeros(1)))

    def total() -> float:
        z = np.zeros((5, 4))
        prior.add(z, top, 0)
        return float((z * upstream).sum())

    d_top = prior.backward(upstream, top, 0)
    for derived, x in ((d_top, top), (prior.gate.d_weight, weight), (prior.gate.d_bias, bias)):
        assert relative_errors(derived, numeric_gradient(total, x)).max() < 1e-9


def test_features_are_the_logarithm_of_the_mean_of_the_table():
    generator = np.random.default_rng(0)
    table = generator.dirichlet(np.ones(5), 7)
    lexicon = Lexicon(np.tile(np.arange(5, dtype=np.int32), (7, 1)), table.astype(np.float32), 5)
    source = generator.integers(0, 7, PACKING.tokens)
    found = lexicon.features(source, PACKING, np.float64)
    for row in range(3):
        p = table[source[PACKING.token_sentences == row]].mean(axis=0)
        np.testing.assert_allclose(found[row], np.log(1 + p / SMALLEST_PROBABILITY), atol=1e-5)
    assert lexicon.features(source, PACKING).dtype == np.float32


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("config", [CONFIGS[0], WITH_EITHER_PRIOR[-1]], ids=["lexical", "bigram"])
def test_blocks_of_the_output_layer_do_not_change_the_result(monkeypatch, config, rows):
    model, batch = random_model(config), random_batch()
    whole, pieces = model.parameters.zeros_like(), model.parameters.zeros_like()
    expected = model.loss_and_gradients(batch, whole)
    monkeypatch.setattr("seq2seq_cli.nn.output_layer.BLOCK_BYTES", 1)
    monkeypatch.setattr("seq2seq_cli.nn.output_layer.SMALLEST_BLOCK", rows)
    pieces.flat[:] = 1e9  # every gradient is written, not added
    assert model.loss_and_gradients(batch, pieces).loss == pytest.approx(expected.loss, rel=1e-12)
    np.testing.assert_allclose(pieces.flat, whole.flat, rtol=0, atol=1e-12)


@pytest.mark.parametrize("config", WITH_EITHER_PRIOR, ids=config_id)
def test_stepping_gives_the_loss_of_teacher_forcing(config):
    model, batch = random_model(config), random_batch()
    packing, total = batch.target_packing, 0.0
    state = model.encode(batch.source, batch.source_packing).select(batch.source_rows)
    for t, size in enumerate(packing.batch_sizes):
        rows = slice(packing.offsets[t], packing.offsets[t + 1])
        logits, state = model.decode_step(state.select(np.arange(size)), batch.target_inputs[rows])
        total -= log_softmax(logits)[np.arange(size), batch.target_outputs[rows]].sum()
    assert model.loss(batch).loss == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("decoder", [PreparedDecoder, DefinitionDecoder])
@pytest.mark.parametrize("config", WITH_EITHER_PRIOR, ids=config_id)
def test_steps_of_the_search_equal_those_of_the_model_for_every_hypothesis(config, decoder):
    model, generator = random_model(config), np.random.default_rng(0)
    source = generator.integers(0, config.source_vocabulary, PACKING.tokens)
    prepared = decoder(model)
    states, constants = prepared.start(source, PACKING)
    expected = model.encode(source, PACKING)
    rows, width = np.arange(3), 1
    for _ in range(3):  # one hypothesis of each sentence, then two of each, in another order, of fewer sentences
        tokens = generator.integers(0, config.target_vocabulary, (len(rows) // width, width))
        logits, states = prepared.step(states, constants, tokens)
        known, expected = model.decode_step(expected, tokens.reshape(-1))
        np.testing.assert_allclose(logits, known, rtol=0, atol=1e-13)
        if width == 1:
            rows, width = np.array([2, 2, 0, 0]), 2
            states = [tuple(part[rows] for part in state) for state in states]
            expected, constants = expected.select(rows), constants.select(np.array([2, 0]))


@pytest.mark.parametrize("priors", [[True], [True, True], [True, False]], ids=str)
def test_greedy_search_equals_beam_search_with_a_beam_of_one(priors):
    configs = [dataclasses.replace(CONFIGS[k], lexical_prior=prior) for k, prior in enumerate(priors)]
    decoders = [PreparedDecoder(random_model(config, seed)) for seed, config in enumerate(configs)]
    source = np.random.default_rng(1).integers(0, 7, PACKING.tokens)
    limits, special, config = np.array([9, 9, 9]), SpecialTokens(1, 2, frozenset({1})), SearchConfig(beam=1)
    found = [
        find(Ensemble(decoders, source, PACKING), limits, config, special) for find in (greedy_search, beam_search)
    ]
    assert [[h.tokens for h in each] for each in found[0]] == [[h.tokens for h in each] for each in found[1]]


def test_an_explanation_holds_the_priors_probability_and_the_gate():
    model, plain = random_model(CONFIGS[0]), random_model(dataclasses.replace(CONFIGS[0], lexical_prior=False))
    source, target = [3, 5, 4, 6, 2], [3, 4, 2]
    p = lexical_prior([model], source)
    state, previous = model.encode(np.array(source), Packing((5,))), 1
    for choice in forced_decoding([model], source, target, bos=1):
        top, state = model.advance(state, np.array([previous]))
        bare = model.logits(top, state._replace(prior=None), np.array([previous]))
        with_prior = np.exp(log_softmax(bare + choice.gate * np.log1p(p / SMALLEST_PROBABILITY)))
        assert choice.prior == p[choice.token]
        assert choice.probability == pytest.approx(with_prior[0, choice.token])
        previous = choice.token
    assert p.sum() == pytest.approx(1)
    together = forced_decoding([model, plain], source, target, bos=1)
    assert [choice.prior for choice in together] == [p[token] for token in target]
    assert lexical_prior([plain], source) is None
    assert {(choice.prior, choice.gate) for choice in forced_decoding([plain], source, target, bos=1)} == {(None, None)}


def test_other_parameters_start_as_without_the_prior():
    config = ModelConfig(7, 6, embedding_size=3, hidden_size=4)
    plain = initialize(config, np.random.default_rng(0))
    found = initialize(dataclasses.replace(config, lexical_prior=True), np.random.default_rng(0))
    np.testing.assert_array_equal(found.flat[: len(plain.flat)], plain.flat)
    assert not found[f"{LEXICAL_GATE}.weight"].any()
    assert found[f"{LEXICAL_GATE}.bias"].tolist() == [np.float32(0.3)]


def test_probabilities_of_pairs_are_those_of_the_table():
    generator = np.random.default_rng(0)
    indices = np.array([generator.permutation(6)[:3] for _ in range(4)], np.int32)
    lexicon = Lexicon(indices, generator.dirichlet(np.ones(3), 4).astype(np.float32), 6)
    dense = np.zeros((4, 6), np.float32)
    np.put_along_axis(dense, lexicon.indices, lexicon.values, axis=1)
    source, target = np.array([2, 0, 2]), np.array([5, 1, 1, 0])
    np.testing.assert_array_equal(lexicon.pairwise(source, target), dense[np.ix_(source, target)])


def lexical_checkpoint():
    checkpoint = small_checkpoint(lexical_prior=True)
    checkpoint.model.tables = random_model(checkpoint.model.config).tables
    return checkpoint


@pytest.mark.parametrize("name", ["lexicon", "reverse_lexicon"])
def test_a_saved_table_loads_the_same(name, tmp_path):
    checkpoint = lexical_checkpoint()
    save_model(tmp_path / "m.npz", checkpoint)
    save_state(
        tmp_path / "m.state.npz", checkpoint, TrainingState(dict.fromkeys("mv", checkpoint.model.parameters.flat), {})
    )
    for loaded in (load_model(tmp_path / "m.npz"), load_state(tmp_path / "m.state.npz")[0]):
        found, expected = getattr(loaded.model.tables, name), getattr(checkpoint.model.tables, name)
        np.testing.assert_array_equal(found.indices, expected.indices)
        np.testing.assert_array_equal(found.values, expected.values)
        assert found.target_vocabulary == expected.target_vocabulary


def test_a_file_without_the_reverse_table_loads(tmp_path):
    checkpoint = lexical_checkpoint()
    checkpoint.model.tables = checkpoint.model.tables._replace(reverse_lexicon=None)
    save_model(tmp_path / "m.npz", checkpoint)
    loaded = load_model(tmp_path / "m.npz").model
    np.testing.assert_array_equal(loaded.tables.lexicon.values, checkpoint.model.tables.lexicon.values)
    assert loaded.tables.reverse_lexicon is None


def test_only_a_file_with_a_prior_needs_the_newer_version(tmp_path):
    for checkpoint, version in ((small_checkpoint(), 1), (lexical_checkpoint(), 2)):
        without_normalization(checkpoint)
        save_model(tmp_path / "m.npz", checkpoint)
        content = members(tmp_path / "m.npz")
        assert json.loads(str(content["format"]))["version"] == version
        assert ("lexical_prior" in json.loads(str(content["config"]))["model"]) == (version == 2)


@pytest.mark.parametrize(("place", "value"), [(0, -1), (0, 1 << 20), (1, 1.5), (1, -0.5), (1, np.nan)])
@pytest.mark.parametrize("name", ["lexicon", "reverse_lexicon"])
def test_a_damaged_table_is_refused(name, place, value, tmp_path):
    checkpoint = lexical_checkpoint()
    getattr(checkpoint.model.tables, name)[place][0, 0] = value
    save_model(tmp_path / "m.npz", checkpoint)
    with pytest.raises(UserError, match="damaged"):
        load_model(tmp_path / "m.npz")


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("lexicon.indices"),
        lambda m: m.pop("lexicon.reverse_indices"),
        lambda m: m.update({"lexicon.reverse_values": m["lexicon.reverse_values"][:-1]}),
        lambda m: m.update({"lexicon.indices": m["lexicon.indices"].astype(np.int64)}),
        lambda m: m.update({"lexicon.values": m["lexicon.values"][:, :-1]}),
        lambda m: m.update({"lexicon.values": np.zeros((1 << 12, 1 << 8), np.float32)}),
    ],
)
def test_a_table_of_another_form_is_refused(change, tmp_path):
    save_model(tmp_path / "m.npz", lexical_checkpoint())
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
