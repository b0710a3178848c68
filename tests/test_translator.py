import gc
import math
import time
import weakref
from itertools import pairwise

import numpy as np
import pytest

from seq2seq_cli import Translator
from seq2seq_cli.config import ModelConfig, Recipe, SearchConfig, TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.inference.prepared_decoder import PreparedDecoder
from seq2seq_cli.inference.translation import Source, SourceNotes
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import Checkpoint, save_model
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary

LINES = ["the cat sees the dog", "a bird sings", "the house is old", "we see"]


def checkpoint(seed=0, lines=LINES, **settings):
    tokenizer = train_tokenizer(TokenizerConfig("word", 50), lines)
    config = ModelConfig(len(tokenizer), len(tokenizer), embedding_size=5, hidden_size=6, **settings)
    model = create_model(config, np.random.default_rng(seed))
    model.parameters.flat[:] *= 3
    return Checkpoint(model, tokenizer, tokenizer, Recipe.of(corpus=""))


def test_lines_come_back_in_order_blank_ones_included():
    translator = Translator([checkpoint()])
    texts = ["the cat", "", "we see the old house", "   ", "a bird", "\t"]
    found = translator.translate(texts)
    assert len(found) == 6
    assert [found[k] for k in (1, 3, 5)] == ["", "", ""]
    assert found[0] == translator.translate(["the cat"])[0]
    assert found[2] == translator.translate(["we see the old house"])[0]


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_batch_size_changes_nothing(batch_size):
    translator = Translator([checkpoint()])
    texts = [f"the {word} sees" for word in ["cat", "dog", "bird", "house"]] * 3 + LINES
    expected = translator.translate(texts, SearchConfig(beam=3))
    assert translator.translate(texts, SearchConfig(beam=3, batch_size=batch_size)) == expected


def test_threads_share_one_set_of_tables_that_is_given_back_at_once(monkeypatch):
    made = []

    class Counted(PreparedDecoder):
        def __init__(self, model):
            made.append(weakref.ref(self))
            time.sleep(0.05)  # the other thread comes meanwhile
            super().__init__(model)

    monkeypatch.setattr("seq2seq_cli.inference.prepared_decoder.PreparedDecoder", Counted)
    translator = Translator([checkpoint()], threads=2)
    circles = gc.isenabled()
    gc.disable()
    try:
        translator.translate(LINES * 4)
        assert len(made) == 1
        del translator
        assert made[0]() is None
    finally:
        if circles:
            gc.enable()


def test_a_stream_is_translated_as_it_comes():
    translator = Translator([checkpoint()])
    asked = []

    def lines():
        for line in LINES:
            asked.append(line)
            yield line

    stream = translator.translate_n_best(lines(), SearchConfig(batch_size=1))
    next(stream)
    assert asked == LINES[:1]


def test_one_string_in_place_of_several_is_a_type_error():
    with pytest.raises(TypeError, match="list"):
        Translator([checkpoint()]).translate("the cat")


def test_n_best_are_distinct_and_ranked():
    found = next(Translator([checkpoint()]).translate_n_best(["the cat"], SearchConfig(beam=4, n_best=4)))
    assert len(found) == 4
    assert [t.score for t in found] == sorted((t.score for t in found), reverse=True)
    assert len({t.tokens for t in found}) == 4


def test_unknown_is_read_but_never_written():
    translator = Translator([checkpoint()])
    assert translator.notes(translator.read("the zebra")).unknown == ("zebra",)
    assert all("<unk>" not in text for text in translator.translate(["the zebra", "zebra zebra"]))


@pytest.mark.parametrize("beam", [1, 5])
@pytest.mark.parametrize("members", [1, 2])
def test_unknown_is_written_only_where_that_is_allowed(beam, members):
    fond = [checkpoint(seed) for seed in range(members)]
    for each in fond:
        each.model.parameters["decoder.fc_out.bias"][0] = 50  # <unk> is by far the most probable token
    translator = Translator(fond)
    config = SearchConfig(beam=beam, n_best=beam, max_length=4)
    texts = [text.text for found in translator.translate_n_best(LINES, config) for text in found]
    assert len(texts) == beam * len(LINES)
    assert not any("<unk>" in text for text in texts)
    allowed = translator.translate(LINES, SearchConfig(beam=beam, max_length=4, allow_unknown=True))
    assert allowed == ["<unk> <unk> <unk> <unk>"] * len(LINES)


def test_words_out_of_the_training_vocabulary_are_noted():
    trained = checkpoint()
    trained.training_vocabulary = TrainingVocabulary.of(LINES, longest=5)
    translator = Translator([trained])
    found = translator.notes(translator.read("the zebra sings"))
    # A word vocabulary says already that it is new.
    assert found == SourceNotes((" the", "<unk>", " sings", "</s>"), ("zebra",), ())
    assert translator.longest_trained_on == 5
    assert Translator([checkpoint()]).longest_trained_on == 0
    translator = Translator([checkpoint()])
    assert translator.notes(translator.read("the cat")) == SourceNotes((" the", " cat", "</s>"), (), ())


def test_a_word_is_oov_for_an_ensemble_only_if_it_is_for_every_model():
    members = [checkpoint(), checkpoint(1)]
    for member, words in zip(members, (["the cat"], ["the cat sings"])):
        member.training_vocabulary = TrainingVocabulary.of(words, longest=len(words[0]))
    translator = Translator(members)
    assert translator.notes(translator.read("the cat sings, bird")).oov_words == ("bird",)
    assert translator.longest_trained_on == 13


def test_a_source_is_shown_in_the_order_in_which_it_is_read():
    translator = Translator([checkpoint(reverse_source=True)])
    assert translator.notes(translator.read("the cat")).tokens == (" cat", " the", "</s>")


def test_an_explanation_is_that_of_its_translation():
    translator = Translator([checkpoint()])
    source = translator.read("the cat")
    for translation in next(translator.translate_n_best(["the cat"], SearchConfig(beam=3, n_best=3))):
        steps = translator.explain(source, translation, alternatives=2)
        assert [step.token for step in steps] == [*translation.tokens, "</s>"]
        logs = sum(math.log(step.probability) for step in steps)
        assert logs == pytest.approx(translation.log_probability, abs=1e-4)
        assert all(len(step.alternatives) == 2 for step in steps)
    assert translator.explain(translator.read("  "), translation) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_batches_hold_every_sentence_once_the_longest_first_and_blank_ones_before_all(threads):
    translator = Translator([checkpoint()], threads=threads)
    config = SearchConfig(batch_size=2)
    texts = [*LINES, "", "the cat", " "]
    sources = [translator.read(text, config) for text in texts]
    batches = list(translator.translate_batches(sources, config))
    assert [k for k, _ in batches[0]] == [4, 6]
    assert all(found[0].text == "" for _, found in batches[0])
    assert len(batches) > 2 or threads > 1  # as often as a round of batches is done
    positions = [k for batch in batches for k, _ in batch]
    assert sorted(positions) == list(range(len(texts)))
    lengths = [[len(sources[k].ids) for k, _ in batch] for batch in batches[1:]]
    assert all(min(longer) >= max(shorter) for longer, shorter in pairwise(lengths))
    together = {k: found[0].text for batch in batches for k, found in batch}
    assert [together[k] for k in range(len(texts))] == translator.translate(texts, config)


def test_a_sentence_is_encoded_once_and_knows_what_it_is():
    translator = Translator([checkpoint()])
    vocabulary = translator.source_tokenizer.vocabulary
    found = translator.read("the cat sees")
    assert (found.text, found.truncated, found.blank) == ("the cat sees", False, False)
    assert [vocabulary[k] for k in found.ids] == [" the", " cat", " sees", "</s>"]
    assert translator.read("  ").blank
    cut = translator.read("the cat sees", SearchConfig(max_source_length=2))
    assert [vocabulary[k] for k in cut.ids] == [" the", " cat", "</s>"]
    assert (cut.text, cut.truncated) == ("the cat sees", True)
    assert not translator.read("the cat", SearchConfig(max_source_length=2)).truncated
    backwards = Translator([checkpoint(reverse_source=True)]).read("the cat sees", SearchConfig(max_source_length=2))
    assert [vocabulary[k] for k in backwards.ids] == [" cat", " the", "</s>"]  # its end is lost, not its beginning


def test_sources_come_back_with_their_translations_in_order():
    translator, config = Translator([checkpoint()]), SearchConfig(beam=3, n_best=2)
    sources = [translator.read(text, config) for text in (*LINES, "")]
    found = list(translator.translate_sources(iter(sources), config))
    assert [source for source, _ in found] == sources
    assert [each for _, each in found] == list(translator.translate_n_best([*LINES, ""], config))
    assert found[-1] == (Source("", (sources[0].ids[-1],)), [found[-1][1][0]])


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_tokens_are_translated_at_a_time_than_asked_for(threads, monkeypatch):
    translator = Translator([checkpoint()], threads=threads)
    texts = ["the " * n for n in range(1, 30)]
    rounds = []
    call = translator.workers.call

    def watched(method, arguments):
        rounds.append([len(source) for sources, _ in arguments for source in sources])
        return call(method, arguments)

    monkeypatch.setattr(translator.workers, "call", watched)
    config = SearchConfig(beam=1, max_length=3, max_tokens_per_batch=40, max_source_length=20)
    assert len(translator.translate(texts, config)) == len(texts)
    assert all(sum(lengths) <= 40 or len(lengths) == 1 for lengths in rounds)
    assert max(map(max, rounds)) == 21  # and the end symbol
    assert max(map(len, rounds)) > 1


def test_loading_from_files_gives_the_same_as_the_model_in_memory(tmp_path):
    save_model(tmp_path / "m.npz", checkpoint())
    assert Translator.load(tmp_path / "m.npz").translate(LINES) == Translator([checkpoint()]).translate(LINES)


def test_an_ensemble_of_one_model_twice_is_that_model():
    assert Translator([checkpoint(), checkpoint()]).translate(LINES) == Translator([checkpoint()]).translate(LINES)


def test_models_that_do_not_go_together_are_refused():
    with pytest.raises(UserError, match="source vocabularies differ") as caught:
        Translator([checkpoint(), checkpoint(lines=["other words"])], ["a.npz", "b.npz"])
    assert caught.value.where == "a.npz and b.npz"
    different_targets = checkpoint(1)
    different_targets.target_tokenizer = train_tokenizer(TokenizerConfig("word", 50), [*LINES, "one more"])
    with pytest.raises(UserError, match="target vocabularies differ"):
        Translator([checkpoint(), different_targets])
    with pytest.raises(UserError, match="reverse order"):
        Translator([checkpoint(), checkpoint(reverse_source=True)])
