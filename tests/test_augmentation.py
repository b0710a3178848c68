import dataclasses
import json
import re

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, Recipe, TokenizerConfig
from seq2seq_cli.nn.members import build_model, create_model
from seq2seq_cli.nn.model import Tables
from seq2seq_cli.storage.checkpoint import Checkpoint, load_model, load_state, save_model
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.training import augmentation
from seq2seq_cli.training.augmentation import SYNTHETIC_PER_PAIR, augment, synthetic_pairs
from seq2seq_cli.training.batches import EncodedCorpus, Sentences, encode_corpus
from seq2seq_cli.training.events import StepReport, SyntheticPairs, TrainingStarted
from seq2seq_cli.training.lexicon import learn_lexicons
from seq2seq_cli.training.run import train
from tests.conftest import NETWORK, PAIRS, WORDS, write_pairs
from tests.test_checkpoint import members, small_checkpoint, without_normalization


def word_by_word(source):
    return " ".join(WORDS[word] for word in source.split())


def toy_lines(known=40):
    chosen = np.random.default_rng(1).permutation(len(PAIRS))[:known]
    sources = [" ".join(filter(None, PAIRS[k])) for k in chosen]
    return sources, [word_by_word(source) for source in sources]


def new_pairs(count, seed=0, known=40, reverse_source=False):
    """Synthetic pairs as text, and as ids."""
    sources, targets = toy_lines(known)
    source, target = (train_tokenizer(TokenizerConfig("word", 50), lines) for lines in (sources, targets))
    corpus, _ = encode_corpus(Corpus("c", sources, targets), source, target, reverse_source)
    lexicons = learn_lexicons(corpus, source, target)
    found = synthetic_pairs(
        corpus, source, target, lexicons, count, np.random.default_rng(seed), reverse_source=reverse_source
    )
    order = -1 if reverse_source else 1
    texts = [
        (
            source.decode(found.source.ids[a : b - 1][::order]),
            target.decode(found.target.ids[c + 1 : d - 1]),
        )
        for a, b, c, d in zip(
            found.source.starts[:-1], found.source.starts[1:], found.target.starts[:-1], found.target.starts[1:]
        )
    ]
    return texts, found


@pytest.mark.parametrize("reverse_source", [False, True])
def test_synthetic_pairs_translate_each_other_and_are_not_in_the_corpus(reverse_source):
    found, ids = new_pairs(60, reverse_source=reverse_source)
    assert len(found) == len(set(found)) == len(ids) == 60
    assert not set(found) & set(zip(*toy_lines()))
    assert np.mean([target == word_by_word(source) for source, target in found]) > 0.9
    assert max(len(source.split()) for source, _ in found) == 3  # the longest of the corpus


def test_synthetic_pairs_are_encoded_like_the_corpus():
    _, found = new_pairs(20)
    for side, first, last in ((found.source, None, 2), (found.target, 1, 2)):
        assert {int(side.ids[stop - 1]) for stop in side.starts[1:]} == {last}
        if first is not None:
            assert {int(side.ids[start]) for start in side.starts[:-1]} == {first}
        assert side.ids.dtype == np.uint16
        assert np.count_nonzero(side.ids == last) == 20


def test_synthetic_pairs_depend_on_the_generator():
    assert new_pairs(20)[0] == new_pairs(20)[0]
    assert new_pairs(20)[0] != new_pairs(20, seed=1)[0]


def test_without_replaceable_phrases_there_are_no_synthetic_pairs():
    assert new_pairs(5, known=1)[0] == []


def test_of_a_large_corpus_every_nth_pair_is_taken(monkeypatch):
    monkeypatch.setattr(augmentation, "MAX_PAIRS", 20)
    aligned = []
    real = augmentation.align
    monkeypatch.setattr(augmentation, "align", lambda *arguments: aligned.append(arguments) or real(*arguments))
    found, _ = new_pairs(10)
    assert len(aligned) == 20
    assert len(found) == 10
    assert not set(found) & set(zip(*toy_lines()))


def test_phrases_are_of_whole_words_only_where_words_have_spaces():
    english, chinese = ["cats see the cats", "the cats"], ["我们昨天在那里看见他了", "他们昨天在这里看见我了"]
    for lines, inside in ((english, False), (chinese, True)):
        tokenizer = train_tokenizer(TokenizerConfig("bpe", 20), lines)
        sentences = Sentences.of([tokenizer.encode(line) for line in lines], len(tokenizer))
        starts = augmentation._word_starts(tokenizer, sentences)
        later = [k for k, token in enumerate(tokenizer.vocabulary[3:], start=3) if token[0] != " "]
        assert later
        assert {starts[k] for k in later} == {inside}


def test_a_training_gets_the_same_pairs_from_the_models_tables_as_from_its_corpus():
    sources, targets = toy_lines(40)
    source, target = (train_tokenizer(TokenizerConfig("word", 50), lines) for lines in (sources, targets))
    corpus, _ = encode_corpus(Corpus("c", sources, targets), source, target, False)
    model = create_model(ModelConfig(len(source), len(target), "rnn", 2, 2), np.random.default_rng(0))
    checkpoint = Checkpoint(model, source, target, Recipe())
    assert augment(checkpoint, corpus) is None
    found = []
    for lexicons in ((), learn_lexicons(corpus, source, target)):
        checkpoint.model = build_model(model.config, model.parameters, Tables(*lexicons))
        checkpoint.recipe = Recipe.of(augmentation=0.5)
        found.append(augment(checkpoint, corpus))
    assert 40 < len(found[0]) < 40 * SYNTHETIC_PER_PAIR  # all that there can be
    np.testing.assert_array_equal(found[0].source.ids, found[1].source.ids)
    np.testing.assert_array_equal(found[0].target.ids, found[1].target.ids)


@pytest.mark.parametrize(("wanted", "expected"), [(0.5, 84 * SYNTHETIC_PER_PAIR), (SYNTHETIC_PER_PAIR + 1.5, 462)])
def test_the_pool_is_some_times_as_large_as_the_corpus_or_as_large_as_an_epoch_needs(wanted, expected, monkeypatch):
    asked = []
    monkeypatch.setattr(augmentation, "synthetic_pairs", lambda *arguments: asked.append(arguments[4]))
    checkpoint = small_checkpoint()
    checkpoint.recipe = Recipe.of(augmentation=wanted)
    sentences = Sentences.of([[3, 2]] * 84, len(checkpoint.source_tokenizer))
    augment(checkpoint, EncodedCorpus(sentences, Sentences.of([[1, 3, 2]] * 84, len(checkpoint.target_tokenizer))))
    assert asked == [expected]


@pytest.mark.parametrize("prior", [False, True])
def test_an_augmented_training_resumes_bit_for_bit(prior, tmp_path):
    lines = write_pairs(tmp_path / "pairs.tsv").read_text().splitlines(keepends=True)
    (tmp_path / "some.tsv").write_text("".join(lines[::3]))
    recipe = Recipe.of(
        corpus=str(tmp_path / "some.tsv"),
        valid=str(tmp_path / "pairs.tsv"),
        augmentation=0.5,
        lexical_prior=prior,
        embedding_size=8,
        hidden_size=8,
        batch_size=16,
        epochs=5,
        threads=1,
    )
    whole = list(train(recipe, tmp_path / "whole.npz"))
    [made] = [event for event in whole if isinstance(event, SyntheticPairs)]
    assert made.per_epoch == 42 < made.pairs
    [started] = [event for event in whole if isinstance(event, TrainingStarted)]
    steps = [event.epoch for event in whole if isinstance(event, StepReport)]
    assert [steps.count(epoch) for epoch in range(1, 6)] == [8, 8, 8, 8, 6]
    assert started.total_steps == len(steps) == 38
    for resume, stop in ((False, 3), (True, 30), (True, 99)):
        events = train(recipe, tmp_path / "parts.npz", resume=resume)
        for event in events:
            if isinstance(event, StepReport) and event.step == stop:
                events.close()
    one, other = (load_state(tmp_path / f"{name}.state.npz")[0] for name in ("whole", "parts"))
    np.testing.assert_array_equal(one.model.parameters.flat, other.model.parameters.flat)


def test_only_a_file_with_the_setting_needs_the_newer_version(tmp_path):
    for augmentation_, version in ((0.0, 1), (0.5, 2)):
        checkpoint = small_checkpoint()
        training = dataclasses.replace(checkpoint.recipe.training, augmentation=augmentation_)
        checkpoint.recipe = dataclasses.replace(checkpoint.recipe, training=training)
        without_normalization(checkpoint)
        save_model(tmp_path / "m.npz", checkpoint)
        content = members(tmp_path / "m.npz")
        assert json.loads(str(content["format"]))["version"] == version
        assert ("augmentation" in json.loads(str(content["config"]))["training"]) == (version == 2)
        assert load_model(tmp_path / "m.npz").recipe.training.augmentation == augmentation_


def test_the_report_before_training_gives_the_number_of_synthetic_pairs(cli, tmp_path):
    lines = write_pairs(tmp_path / "pairs.tsv").read_text().splitlines(keepends=True)
    (tmp_path / "some.tsv").write_text("".join(lines[::3]))
    arguments = ("some.tsv", "--valid", "pairs.tsv", "--dry-run", *NETWORK)
    text = cli("train", *arguments, "--augmentation", "0.5").stdout.decode()
    assert re.search(r"synthetic: +\d+ pairs made by exchanging phrase pairs; 42 of them per epoch", text)
    assert "synthetic" not in cli("train", *arguments, "--augmentation", "0").stdout.decode()
