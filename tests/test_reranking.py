import math

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, SearchConfig
from seq2seq_cli.inference.hypothesis import Hypothesis
from seq2seq_cli.inference.prepared_decoder import PreparedDecoder
from seq2seq_cli.inference.reranking import SMALLEST_PROBABILITY, rerank, reverse_log_probabilities
from seq2seq_cli.inference.search import search
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.nn.gradcheck import random_model
from seq2seq_cli.nn.lexical_prior import Lexicon
from tests.test_checkpoint import small_checkpoint

BOS, EOS = 1, 2
CONFIG = ModelConfig(7, 6, embedding_size=3, hidden_size=4, lexical_prior=True)
SOURCES = [[3, 4, 3, 2], [5, 2], [6, 3, 4, 5, 2]]


def table(seed=0):
    """t(source token | target token) of 7 source and 6 target tokens, sparse and as a whole."""
    generator = np.random.default_rng(seed)
    indices = np.array([generator.permutation(7)[:3] for _ in range(6)], np.int32)
    values = generator.dirichlet(np.ones(3), 6).astype(np.float32)
    dense = np.zeros((6, 7))
    np.put_along_axis(dense, indices, values, axis=1)
    return Lexicon(indices, values, 7), dense


def by_definition(dense, source, target):
    return np.mean([math.log(np.mean([dense[v, s] for v in target]) + SMALLEST_PROBABILITY) for s in source])


def test_reverse_log_probabilities_are_those_of_model_1():
    lexicon, dense = table()
    source, targets = [3, 4, 3, 2], [[5, 0, 5, 2], [2], [3, 4, 1, 0, 2]]
    expected = [by_definition(dense, source, target) for target in targets]
    np.testing.assert_allclose(reverse_log_probabilities(lexicon, source, targets), expected, rtol=1e-12)


def test_reranking_adds_the_weighted_reverse_log_probability():
    lexicon, dense = table()
    hypotheses = [Hypothesis((3, 4), -1.0, -0.3), Hypothesis((), -2.0, -2.0)]
    for before, after in zip(hypotheses, rerank(hypotheses, lexicon, SOURCES[0], EOS, 0.5), strict=True):
        expected = before.score + 0.5 * by_definition(dense, SOURCES[0], [*before.tokens, EOS])
        assert after == (before.tokens, before.log_probability, pytest.approx(expected))


@pytest.mark.parametrize("weight", [0.5, 5.0])
@pytest.mark.parametrize("n_best", [1, 5])
def test_a_search_ranks_all_that_it_has_finished_by_the_sum_of_both(weight, n_best):
    model, (lexicon, dense) = random_model(CONFIG), table()
    decoder = PreparedDecoder(model)
    # One target token or none: a beam of 5 finds all of them, so the best by the sum of both must be the first.
    config = SearchConfig(beam=5, n_best=5, max_length=1, reverse_weight=0)
    plain = search([decoder], SOURCES, config, BOS, EOS, reverse_lexicon=lexicon)
    config = SearchConfig(beam=5, n_best=n_best, max_length=1, reverse_weight=weight)
    found = search([decoder], SOURCES, config, BOS, EOS, reverse_lexicon=lexicon)
    for source, before, after in zip(SOURCES, plain, found, strict=True):
        expected = {
            h.tokens: h.log_probability / (len(h.tokens) + 1) + weight * by_definition(dense, source, [*h.tokens, EOS])
            for h in before
        }
        best = sorted(expected, key=lambda tokens: -expected[tokens])[:n_best]
        assert [h.tokens for h in after] == best
        np.testing.assert_allclose([h.score for h in after], [expected[tokens] for tokens in best], rtol=1e-10)


def test_the_best_translation_does_not_depend_on_how_many_are_shown():
    decoder = PreparedDecoder(random_model(CONFIG))
    one, five = (
        search([decoder], SOURCES, SearchConfig(beam=5, n_best=n, reverse_weight=1), BOS, EOS, (), table()[0])
        for n in (1, 5)
    )
    assert [found[0] for found in one] == [found[0] for found in five]
    assert {len(found) for found in five} == {5}


def test_without_a_table_or_a_weight_or_a_beam_nothing_is_reranked():
    decoder, lexicon = PreparedDecoder(random_model(CONFIG)), table()[0]
    for config, reverse in (
        (SearchConfig(reverse_weight=1), None),
        (SearchConfig(reverse_weight=0), lexicon),
        (SearchConfig(beam=1, reverse_weight=1), lexicon),
    ):
        for (found,) in search([decoder], SOURCES, config, BOS, EOS, reverse_lexicon=reverse):
            assert found.score == pytest.approx(found.log_probability / (len(found.tokens) + 1), rel=1e-10)


def lexical_checkpoint(seed):
    checkpoint = small_checkpoint(lexical_prior=True)
    model = random_model(checkpoint.model.config, seed)
    checkpoint.model.tables = model.tables
    return checkpoint


def test_a_translator_reranks_with_the_first_reverse_table_that_its_models_have():
    first, second, plain = lexical_checkpoint(0), lexical_checkpoint(1), small_checkpoint()
    source = " ".join(first.source_tokenizer.vocabulary[-2:])
    for checkpoints, owner in (([first, second], first), ([plain, second], second), ([plain], None)):
        translator = Translator(checkpoints, threads=1)
        (found,) = translator.translate_n_best([source], SearchConfig(n_best=5))
        assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
        for each in found:
            expected = each.log_probability / (len(each.ids) + 1)
            if owner is not None:
                ids = translator.read(source).ids
                reverse = reverse_log_probabilities(owner.model.tables.reverse_lexicon, ids, [(*each.ids, EOS)])
                expected += SearchConfig.reverse_weight * reverse[0]
            assert each.score == pytest.approx(expected, rel=1e-6)


def test_a_translator_says_whether_it_reranks():
    lexical, plain = Translator([lexical_checkpoint(0)], threads=1), Translator([small_checkpoint()], threads=1)
    assert lexical.reranks(SearchConfig())
    for settings in ({"beam": 1}, {"reverse_weight": 0.0}):
        assert not lexical.reranks(SearchConfig(**settings))
    assert not plain.reranks(SearchConfig())
