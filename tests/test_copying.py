"""Unknown words are copied into the translation in place of names that the model copies."""

import dataclasses

import numpy as np
import pytest

from seq2seq_cli import Translator
from seq2seq_cli.config import ModelConfig, Recipe, SearchConfig, TokenizerConfig
from seq2seq_cli.inference.copying import Copier, Substitution
from seq2seq_cli.inference.hypothesis import Hypothesis
from seq2seq_cli.nn.lexical_prior import Lexicon
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.text.source_style import SourceStyle
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.text.training_vocabulary import TrainingVocabulary

SOURCES = ["Tom met Mary .", "Tom sees 20 birds", "Boston is old"] * 3
TARGETS = ["Tom voit Mary .", "Tom voit 20 oiseaux", "Boston est vieux"] * 3
WORDS = TrainingVocabulary.of(SOURCES, longest=4)


def tokenizers(kind="bpe"):
    return [train_tokenizer(TokenizerConfig(kind, 120), lines) for lines in (SOURCES, TARGETS)]


def lexicon(source, target, copied=(" Tom", " Mary"), share=0.9):
    """A table that translates some entries by themselves, and all others by EOS."""
    table = Lexicon(np.full((len(source), 2), 2, np.int32), np.zeros((len(source), 2), np.float32), len(target))
    for piece in copied:
        table.indices[source.ids[piece], 0] = target.ids[piece]
        table.values[source.ids[piece], 0] = share
    return table


def copier(kind="bpe", vocabularies=(WORDS,), **settings):
    source, target = tokenizers(kind)
    return Copier(source, target, lexicon(source, target, **settings), vocabularies), target


def test_an_unknown_name_is_replaced_by_one_that_the_model_copies():
    found, target = copier()
    substitution = found.substitute("Szymon met Xyz .")
    assert substitution.text == "Tom met Mary ."
    assert substitution.copies == {target.ids[" Tom"]: " Szymon", target.ids[" Mary"]: " Xyz"}


def test_a_name_that_the_sentence_has_is_not_used_for_another_word():
    found, target = copier()
    assert found.substitute("Tom met Szymon .") == Substitution("Tom met Mary .", {target.ids[" Mary"]: " Szymon"})


def test_unknown_numbers_are_replaced_and_known_ones_kept():
    found, _ = copier()
    assert found.substitute("Szymon sees 20 birds").text == "Tom sees 20 birds"
    assert found.substitute("Boston is 3456").text == "Boston is Tom"


def test_what_follows_a_word_without_a_space_stays_behind_the_name():
    found, _ = copier()
    assert found.substitute("Szymon, met Mary's birds").text.startswith("Tom, met Mary's")


def test_more_unknown_words_than_names_are_left_as_they_are():
    found, _ = copier()
    assert found.substitute("Szymon met Xyz Qwu").text == "Tom met Mary Qwu"


def test_a_word_with_a_long_subword_is_left_to_the_network():
    found, _ = copier()
    assert found.source.encode("Bostonian")[0] == found.source.ids[" Boston"]
    assert found.substitute("Bostonian birds") is None


@pytest.mark.parametrize(
    "settings",
    [{"copied": ()}, {"share": 0.4}, {"vocabularies": (TrainingVocabulary(),)}, {"copied": (" met",), "share": 0.9}],
)
def test_without_names_that_the_model_copies_nothing_is_replaced(settings):
    source, target = tokenizers()
    if settings.get("copied") == (" met",):  # no name
        target = source
    vocabularies = settings.pop("vocabularies", (WORDS,))
    found = Copier(source, target, lexicon(source, target, **settings), vocabularies)
    assert found.substitute("Szymon met Mary .") is None
    assert Copier(source, target, None, (WORDS,)).substitute("Szymon met Mary .") is None


def test_a_word_of_any_vocabulary_of_an_ensemble_is_known():
    found, _ = copier(vocabularies=(WORDS, TrainingVocabulary.of(["Szymon"], 1)))
    assert found.substitute("Szymon met Mary .") is None


def test_a_word_vocabulary_copies_what_would_be_read_as_unknown():
    found, _ = copier("word")
    assert found.substitute("Szymon met Boston .").text == "Tom met Boston ."


def test_in_a_line_in_capitals_the_names_are_in_capitals_too():
    found, target = copier()
    assert found.substitute("SZYMON MET TOM .") == Substitution("MARY MET TOM .", {target.ids[" Mary"]: " SZYMON"})


@pytest.mark.parametrize(
    ("tokens", "complete"),
    [([3], True), ([3, 5], True), ([5, 3], True), ([3, 4], False), ([3, 3], False), ([5], False), ([], False)],
)
def test_a_translation_is_complete_if_each_name_is_in_it_once_as_a_whole_word(tokens, complete):
    vocabulary = ["<unk>", "<s>", "</s>", " Tom", "as", "'s"]
    assert Substitution("Tom", {3: " Szymon"}).complete(tokens, vocabulary) == complete


class Scripted(Translator):
    """A translator whose search returns given translations, and records what was read."""

    def _search(self, sources, config):
        self.read_sources += [self.source_tokenizer.decode(ids) for ids in sources]
        return [[Hypothesis(tuple(self.target_tokenizer.encode(text)), -1.0, -1.0) for text in self.said]] * len(
            sources
        )


def scripted(said, words=WORDS):
    source, target = tokenizers()
    model = create_model(
        ModelConfig(len(source), len(target), embedding_size=3, hidden_size=4, lexical_prior=True),
        np.random.default_rng(0),
    )
    model.tables = model.tables._replace(lexicon=lexicon(source, target))
    translator = Scripted([Checkpoint(model, source, target, Recipe.of(corpus=""), training_vocabulary=words)])
    translator.said, translator.read_sources = said, []
    return translator


def test_the_word_takes_the_place_of_the_name_in_the_translation():
    translator = scripted(["Mary voit Tom .", "Mary voit 20 ."])
    (found,) = translator.translate_n_best(["Szymon sees Mary ."], SearchConfig(n_best=2))
    assert [translation.text for translation in found] == ["Mary voit Szymon ."]  # the other one lacks the name
    assert found[0].copied == ("Szymon",)
    assert found[0].tokens == (" Mary", " voit", " Szymon", " .")
    assert translator.target_tokenizer.decode(found[0].ids) == "Mary voit Tom ."
    assert translator.read_sources == ["Tom sees Mary ."]


def test_without_the_name_in_the_translation_the_sentence_is_translated_as_it_is():
    translator = scripted(["Mary voit 20 ."])
    texts = ["Szymon sees Mary .", "", "Mary sees Tom ."]
    (found, blank, plain) = translator.translate_n_best(texts)
    assert (found[0].text, blank[0].text, plain[0].text) == ("Mary voit 20 .", "", "Mary voit 20 .")
    assert found[0].copied == ()
    assert sorted(translator.read_sources) == ["Mary sees Tom .", "Tom sees Mary .", "s<unk>ymon sees Mary ."]


def test_without_copying_the_sentence_is_read_as_it_is():
    translator = scripted(["Mary voit Tom ."])
    assert translator.translate(["Szymon sees Mary ."], SearchConfig(copy_unknown=False)) == ["Mary voit Tom ."]
    assert translator.read_sources == ["s<unk>ymon sees Mary ."]


def test_a_word_that_is_read_with_the_apostrophe_that_it_lacks_is_not_copied():
    style = SourceStyle(capital=True, contractions={"marys": "mary's"})
    translator = scripted(["Tom voit Mary ."], dataclasses.replace(WORDS, style=style))
    assert translator.read("tom met marys .").substitution is None
    assert translator.read("Tom met marys .").substitution is not None  # a carefully typed line
    assert list(translator.read("tom met xyz marys .").substitution.copies.values()) == [" xyz"]


@pytest.mark.parametrize("text", ["Tom sees 1500.75 birds", "Xyz-Uvw is old", "Tom sees 192.168.1.77"])
def test_a_word_that_goes_on_after_a_mark_is_not_cut(text):
    assert copier()[0].substitute(text) is None


def test_the_sentence_with_the_names_is_kept_as_it_is_read():
    translator = scripted(["Tom voit Mary ."], dataclasses.replace(WORDS, style=SourceStyle(mark=" .")))
    source = translator.read("Szymon sees Mary")
    assert source.text_for(source.substituted_ids) == "Tom sees Mary ."
    assert source.text_for(source.ids) == "szymon sees Mary ."  # no training text has an S
