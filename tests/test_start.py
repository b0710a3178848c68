"""Fine-tuning: a training that starts from a trained model."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from seq2seq_cli.config import Recipe
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.nn.bigram_prior import BigramTable
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.nn.model import Tables
from seq2seq_cli.storage.checkpoint import load_model, load_state
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.training.batches import EncodedCorpus, Sentences
from seq2seq_cli.training.events import RecipeChosen, StartedFrom, StepReport, TrainingStarted, ValidationReport
from seq2seq_cli.training.fit import fitted_values
from seq2seq_cli.training.run import train
from seq2seq_cli.training.start import PRIOR_WEIGHT, RATE_FACTOR, mix_tables
from tests.conftest import write_pairs
from tests.test_run import assert_same_arrays, names
from tests.test_version1 import FOLDER, MODEL

SMALL = {"embedding_size": 6, "hidden_size": 8, "vocab_size": 60, "batch_size": 32, "augmentation": 0.0}
NEW = [f"{a} {b}\t{b} {a}" for a in ("red", "blue", "old") for b in ("cat", "dog", "bird", "zebra")]


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A folder with a small model and its pairs, and other pairs to fine-tune it on."""
    folder = tmp_path_factory.mktemp("start")
    corpus = str(write_pairs(folder / "old.tsv"))
    recipe = Recipe.of(corpus=corpus, max_steps=3, members=2, learning_rate=0.02, dropout=0.3, seed=5, **SMALL)
    list(train(dataclasses.replace(recipe, threads=1), folder / "base.npz"))
    (folder / "new.tsv").write_text("\n".join(NEW) + "\n")
    return folder


@pytest.fixture
def folder(start, tmp_path):
    for name in ("base.npz", "new.tsv", "old.tsv"):
        shutil.copy(start / name, tmp_path / name)
    return tmp_path


def tune(folder, **settings):
    defaults = {"corpus": str(folder / "new.tsv"), "start_from": str(folder / "base.npz"), "threads": 1}
    return Recipe.of(**{**defaults, "valid": str(folder / "old.tsv"), **settings})


def test_tokenizers_network_and_settings_are_those_of_the_model_and_the_rate_is_lower(folder):
    base = load_model(folder / "base.npz")
    events = list(train(tune(folder, epochs=2), folder / "tuned.npz"))
    assert events[0] == StartedFrom(folder / "base.npz", base.corpus)
    tuned = events[-1].checkpoint
    assert tuned.model.config == base.model.config
    assert tuned.source_tokenizer.to_json() == base.source_tokenizer.to_json()
    assert tuned.target_tokenizer.to_json() == base.target_tokenizer.to_json()
    training = next(event for event in events if isinstance(event, TrainingStarted)).recipe.training
    inherited = dataclasses.replace(base.recipe.training, max_steps=None, epochs=2, learning_rate=0.02 * RATE_FACTOR)
    assert training == inherited
    assert tuned.corpus == str(folder / "new.tsv")
    assert tuned.recipe.corpora.start_from == str(folder / "base.npz")
    steps = [event for event in events if isinstance(event, StepReport)]
    assert [step.step for step in steps] == [1, 2]
    assert steps[0].learning_rate <= 0.02 * RATE_FACTOR
    chosen = next(event for event in events if isinstance(event, RecipeChosen)).settings
    assert chosen == {"learning_rate": 0.02 * RATE_FACTOR}


def test_what_is_given_wins_and_epochs_fit_the_new_corpus(folder):
    events = train(tune(folder, learning_rate=0.5, dropout=0.0, batch_size=5, seed=9), folder / "tuned.npz")
    started = next(event for event in events if isinstance(event, TrainingStarted))
    events.close()
    recipe = started.recipe
    assert (recipe.training.learning_rate, recipe.training.batch_size, recipe.training.seed) == (0.5, 5, 9)
    assert recipe.training.epochs <= fitted_values(len(NEW))["epochs"]
    assert recipe.model.dropout == 0.0
    assert recipe.model.weight_dropout == load_model(folder / "base.npz").model.config.weight_dropout


def test_the_model_is_validated_before_the_first_step(folder):
    log = folder / "log.jsonl"
    events = list(train(tune(folder, epochs=1), folder / "tuned.npz", log_file=log))
    loop = [event for event in events if isinstance(event, StepReport | ValidationReport)]
    first = loop[0]
    assert isinstance(first, ValidationReport)
    assert (first.step, first.epoch, first.improved) == (0, 0, True)
    assert [event.step for event in loop if isinstance(event, ValidationReport)] == [0, 1]
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(record["step"], "valid_loss" in record) for record in records] == [(0, True), (1, False), (1, True)]
    assert events[-1].checkpoint.history[0]["step"] == 0


def test_a_training_that_only_does_harm_keeps_the_model_it_started_from(folder):
    base = load_model(folder / "base.npz")
    recipe = tune(folder, max_steps=2, learning_rate=10.0, keep_best="loss", clip_norm=0.0)
    tuned = list(train(recipe, folder / "tuned.npz"))[-1].checkpoint
    assert np.array_equal(tuned.model.parameters.flat, base.model.parameters.flat)
    lines = ["red cat", "old dog bird"]
    assert len(Translator([tuned]).translate(lines)) == 2


@pytest.mark.parametrize("stop_after", [0, 1, 3])
def test_a_resumed_fine_tuning_continues_bit_for_bit(stop_after, folder):
    recipe = tune(folder, epochs=2, batch_size=4)
    whole, parts = folder / "whole.npz", folder / "parts.npz"
    expected = list(train(recipe, whole))
    events = train(recipe, parts, log_file=folder / "log")
    for event in events:
        if isinstance(event, StepReport | ValidationReport) and event.step == stop_after:
            break
    events.close()
    (folder / "base.npz").unlink()  # the state has all of it
    rest = list(train(recipe, parts, resume=True, log_file=folder / "log"))
    assert [event.step for event in rest if isinstance(event, ValidationReport) and not event.step] == []
    assert not [event for event in rest if isinstance(event, StartedFrom)]
    assert_same_arrays(whole, parts)
    assert_same_arrays(state_path(whole), state_path(parts))
    assert load_model(parts).training_vocabulary == load_model(whole).training_vocabulary
    logged = [json.loads(line)["step"] for line in (folder / "log").read_text().splitlines()]
    assert logged == [event.step for event in expected if isinstance(event, StepReport | ValidationReport)]
    assert load_state(state_path(parts))[0].recipe.corpora.start_from == str(folder / "base.npz")
    assert not [name for name in names(folder) if "previous" in name]


def test_the_words_of_both_trainings_are_known(folder):
    base = load_model(folder / "base.npz").training_vocabulary
    tuned = list(train(tune(folder, max_steps=1), folder / "tuned.npz"))[-1].checkpoint.training_vocabulary
    assert tuned.words == base.words | {"zebra"}
    assert tuned.longest >= base.longest


CONFLICTS = [
    ({"hidden_size": 16}, "--hidden-size 16 is not that of the model to start from: 8"),
    ({"members": 1}, "--members 1"),
    ({"lexical_prior": False}, "--lexical-prior False"),
    ({"tokenizer": "char"}, "--tokenizer char"),
    ({"vocab_size": 90}, "--vocab-size 90"),
    ({"cell": "gru"}, "--cell gru"),
]


@pytest.mark.parametrize(("settings", "message"), CONFLICTS)
def test_settings_that_shape_network_or_vocabulary_must_be_the_models_own(settings, message, folder):
    before = names(folder)
    with pytest.raises(UserError) as caught:
        list(train(tune(folder, **settings), folder / "tuned.npz"))
    assert message in caught.value.what
    assert "--start-from" in caught.value.fix
    assert caught.value.exit_code == 2
    assert names(folder) == before
    same = tune(folder, hidden_size=8, tokenizer="bpe", vocab_size=60, cell="lstm", members=2)
    assert list(train(same, folder / "tuned.npz", dry_run=True))


def test_other_tokenizers_are_refused_and_the_models_own_are_not(folder):
    base = load_model(folder / "base.npz")
    for side in ("source", "target"):
        (folder / f"{side}.json").write_text(json.dumps(getattr(base, f"{side}_tokenizer").to_json()))
    right, wrong = (
        {f"{side}_tokenizer": str(folder / f"{name}.json") for side, name in zip(("source", "target"), order)}
        for order in (("source", "target"), ("target", "source"))
    )
    assert list(train(tune(folder, **right), folder / "tuned.npz", dry_run=True))
    with pytest.raises(UserError, match="this source tokenizer is not that of the model to start from"):
        list(train(tune(folder, **wrong), folder / "tuned.npz"))


@pytest.mark.parametrize("name", ["base.npz", "link.npz"])
def test_the_model_to_start_from_is_never_replaced(name, folder):
    (folder / "link.npz").symlink_to("base.npz")
    before = (folder / "base.npz").read_bytes()
    with pytest.raises(UserError, match="--output would overwrite --start-from"):
        list(train(tune(folder), folder / name))
    with pytest.raises(UserError, match="--log-file would overwrite --start-from"):
        list(train(tune(folder), folder / "tuned.npz", log_file=folder / name))
    assert (folder / "base.npz").read_bytes() == before
    assert len(names(folder)) == 4


def test_a_model_of_other_pairs_needs_a_corpus_and_a_state_is_no_model(folder):
    with pytest.raises(UserError, match="no training pairs are named") as caught:
        list(train(tune(folder, corpus=None), folder / "tuned.npz"))
    assert caught.value.where == "--start-from"
    with pytest.raises(UserError, match="no such file"):
        list(train(tune(folder, start_from=str(folder / "none.npz")), folder / "tuned.npz"))


def test_a_resumed_training_must_have_started_from_that_model(folder):
    list(train(tune(folder, start_from=None, max_steps=1, **SMALL), folder / "plain.npz"))
    with pytest.raises(UserError, match=r"--start-from .* is not what this training started with: None"):
        list(train(tune(folder, max_steps=2), folder / "plain.npz", resume=True))


def test_a_model_of_version_1_is_fine_tuned(tmp_path):
    recipe = Recipe.of(corpus=str(FOLDER / "pairs.tsv"), start_from=str(FOLDER / MODEL), max_steps=2, threads=1)
    tuned = list(train(recipe, tmp_path / "tuned.npz"))[-1].checkpoint
    assert tuned.model.config == load_model(FOLDER / MODEL).model.config
    assert tuned.model.tables == Tables()


def lexicon(rows, vocabulary):
    indices = np.array([[token for token, _ in row] for row in rows], np.int32)
    values = np.array([[value for _, value in row] for row in rows], np.float32)
    return Lexicon(indices, values, vocabulary)


def dense(table):
    found = np.zeros((len(table.indices), table.target_vocabulary))
    np.add.at(found, (np.arange(len(found))[:, None], table.indices), table.values)
    return found


def test_tables_are_mixed_by_how_often_a_source_token_occurs_in_the_new_pairs():
    old = lexicon([[(0, 0.5), (1, 0.25)], [(2, 0.75), (1, 0.0)], [(3, 1.0), (0, 0.0)]], 4)
    new = lexicon([[(1, 0.5), (2, 0.25)], [(3, 0.5), (0, 0.25)], [(0, 0.5), (1, 0.5)]], 4)
    ids = [0] * 5 + [1] * 20
    sides = [Sentences.of([ids], 4), Sentences.of([[0]], 4)]
    mixed = mix_tables(Tables(old), Tables(new), EncodedCorpus(*sides))
    weights = np.array([5, 20, 0]) / (np.array([5, 20, 0]) + PRIOR_WEIGHT)
    expected = weights[:, None] * dense(new) + (1 - weights[:, None]) * dense(old)
    kept = np.sort(expected, axis=1)[:, :1:-1]  # the two largest
    np.testing.assert_allclose(mixed.lexicon.values, kept, rtol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(expected, mixed.lexicon.indices, 1), kept, rtol=1e-6)
    assert (mixed.reverse_lexicon, mixed.bigrams) == (None, None)


def test_counts_of_bigrams_are_added():
    def table(counts):
        triples = sorted(counts)
        numbers = np.array([counts[triple] for triple in triples], np.int32)
        return BigramTable(np.array(triples, np.int32), numbers, 9)

    old, new = table({(1, 2, 3): 4, (5, 2, 3): 1}), table({(0, 1, 1): 2, (1, 2, 3): 3})
    sides = [Sentences.of([[0]], 9), Sentences.of([[0]], 9)]
    found = mix_tables(Tables(bigrams=old), Tables(bigrams=new), EncodedCorpus(*sides)).bigrams
    assert found.triples.tolist() == [[0, 1, 1], [1, 2, 3], [5, 2, 3]]
    assert found.counts.tolist() == [2, 7, 1]
    assert found.triples.dtype == found.counts.dtype == np.int32


def test_the_direction_is_that_of_the_model_unless_it_is_given(folder):
    recipe = Recipe.of(corpus=str(folder / "old.tsv"), swap=True, max_steps=1, threads=1, **SMALL)
    list(train(recipe, folder / "other.npz"))
    other = str(folder / "other.npz")
    tuned = list(train(tune(folder, start_from=other, max_steps=1), folder / "t.npz"))[-1].checkpoint
    assert tuned.recipe.corpora.swap
    recipe = tune(folder, start_from=other, max_steps=2)
    assert list(train(recipe, folder / "t.npz", resume=True))[-1].checkpoint.recipe.corpora.swap
    back = list(train(tune(folder, start_from=other, swap=False, max_steps=1), folder / "b.npz"))[-1].checkpoint
    assert not back.recipe.corpora.swap
