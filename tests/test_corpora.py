import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, Recipe, TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import Corpus, read_corpus
from seq2seq_cli.text.tokenizer import BOS, EOS, UNKNOWN
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.training.corpora import (
    describe_corpus,
    describe_vocabularies,
    encode_pairs,
    find_suspicious_pairs,
    find_unknown_tokens,
    read_corpora,
)
from seq2seq_cli.training.events import PairsSkipped, Side, UnknownTokens

TRAIN = Corpus("train.tsv", ["the old cat", "a dog", "the dog"], ["le vieux chat", "un chien", "le chien"])
VALID = Corpus("valid.tsv", ["the new dog", "old zebra"], ["le chien neuf", "vieux chien"])


def checkpoint(reverse_source=False, kind="word", **settings):
    source, target = (train_tokenizer(TokenizerConfig(kind, 100), side) for side in (TRAIN.sources, TRAIN.targets))
    config = ModelConfig(len(source), len(target), embedding_size=3, hidden_size=4, reverse_source=reverse_source)
    model = create_model(config, np.random.default_rng(0))
    return Checkpoint(model, source, target, Recipe.of(corpus=TRAIN.name, **settings))


def write(path, corpus):
    path.write_text("".join(f"{a}\t{b}\n" for a, b in zip(corpus.sources, corpus.targets)), encoding="utf-8")
    return str(path)


def pairs(corpus):
    return list(zip(corpus.sources, corpus.targets))


def test_both_corpora_are_read_by_name(tmp_path):
    names = {"corpus": write(tmp_path / "t.tsv", TRAIN), "valid": write(tmp_path / "v.tsv", VALID)}
    train, valid, _ = read_corpora(Recipe.of(**names))
    assert (train.name, valid.name) == tuple(names.values())
    assert (pairs(train), pairs(valid)) == (pairs(TRAIN), pairs(VALID))


def test_without_validation_pairs_a_share_is_held_out_that_the_seed_decides(tmp_path):
    many = Corpus("", [f"a{k}" for k in range(100)], [f"b{k}" for k in range(100)])
    recipe = Recipe.of(corpus=write(tmp_path / "t.tsv", many))
    train, valid, _ = read_corpora(recipe)
    assert sorted(pairs(train) + pairs(valid)) == sorted(pairs(many))
    assert 0 < len(valid) < len(train)
    assert [pairs(each) for each in read_corpora(recipe)[:2]] == [pairs(train), pairs(valid)]
    assert pairs(read_corpora(recipe.replace(seed=2))[1]) != pairs(valid)


def test_where_nothing_can_be_held_out_both_are_one_object(tmp_path):
    one = Corpus("", ["a"], ["b"])
    train, valid, _ = read_corpora(Recipe.of(corpus=write(tmp_path / "t.tsv", one)))
    assert train is valid
    assert pairs(train) == [("a", "b")]


def test_without_a_name_the_built_in_corpora_are_read(tmp_path, monkeypatch):
    train, valid, _ = read_corpora(Recipe())
    assert pairs(train) == pairs(read_corpus(builtin_corpus("train")))
    assert pairs(valid) == pairs(read_corpus(builtin_corpus("valid")))
    _, valid, _ = read_corpora(Recipe.of(valid=write(tmp_path / "v.tsv", VALID)))
    assert pairs(valid) == pairs(VALID)


@pytest.mark.parametrize("reverse", [False, True])
def test_pairs_are_encoded_with_bos_and_eos(reverse):
    made = checkpoint(reverse)
    found, skipped = encode_pairs(TRAIN, made)
    assert skipped is None
    assert found.text is TRAIN
    assert len(found.ids) == 3
    for k, (source, target) in enumerate(pairs(TRAIN)):
        starts = found.ids.source.starts[k : k + 2], found.ids.target.starts[k : k + 2]
        ids = made.source_tokenizer.encode(source)
        assert found.ids.source.ids[slice(*starts[0])].tolist() == [*(ids[::-1] if reverse else ids), EOS]
        assert found.ids.target.ids[slice(*starts[1])].tolist() == [BOS, *made.target_tokenizer.encode(target), EOS]


@pytest.mark.parametrize("limit", [{"max_source_length": 2}, {"max_tokens_per_batch": 8}])
def test_pairs_that_are_too_long_are_left_out_and_reported(limit):
    made = checkpoint(**limit)
    found, skipped = encode_pairs(TRAIN, made)
    training = made.recipe.training
    limits = (training.max_source_length, training.max_tokens_per_batch)
    assert skipped == PairsSkipped("train.tsv", 1, "'the old cat'", *limits)
    assert pairs(found.text) == pairs(TRAIN)[1:]
    assert len(found.ids) == 2
    assert found.text.line(0) == 2  # a place still names the file's line


def test_a_corpus_of_nothing_but_long_pairs_is_an_error():
    with pytest.raises(UserError, match="every pair is longer than --max-source-length 1 ") as caught:
        encode_pairs(TRAIN, checkpoint(max_source_length=1))
    assert caught.value.where == "train.tsv"
    assert caught.value.exit_code == 1


def test_the_corpus_is_described_without_bos_and_eos():
    made = checkpoint()
    train, valid = (encode_pairs(corpus, made)[0] for corpus in (TRAIN, VALID))
    found = describe_corpus(made.recipe, train, valid)
    assert (found.name, found.training_pairs, found.validation_pairs) == ("train.tsv", 3, 2)
    assert found.source_lengths.tolist() == [3, 2, 2]
    assert found.target_lengths.tolist() == [3, 2, 2]
    assert describe_corpus(Recipe(), train, valid).name is None


def test_vocabularies_are_described_with_their_oov_rates():
    made = checkpoint()
    train, valid = (encode_pairs(corpus, made)[0] for corpus in (TRAIN, VALID))
    source, target = describe_vocabularies(made, train, valid).source, describe_vocabularies(made, train, valid).target
    assert source == Side("word", len(made.source_tokenizer), 2 / 5, 2 / 5)  # new and zebra, of five words
    assert target.kind == "word"
    assert target.entries == len(made.target_tokenizer)
    assert target.oov == 1 / 5  # neuf
    subwords = checkpoint(kind="char")
    train, valid = (encode_pairs(corpus, subwords)[0] for corpus in (TRAIN, VALID))
    source = describe_vocabularies(subwords, train, valid).source
    assert source.oov == 2 / 5
    assert 0 < source.unknown < 2 / 5


def test_unknown_tokens_are_counted_by_side():
    made = checkpoint()
    found, _ = encode_pairs(VALID, made)
    assert int(np.count_nonzero(found.ids.source.ids == UNKNOWN)) == 2
    source, target = find_unknown_tokens(found)
    assert source == UnknownTokens("valid.tsv", "source", 2, 2 / 5)
    tokens = len(found.ids.target.ids) - len(found.ids.target)
    assert target == UnknownTokens("valid.tsv", "target", 1, 1 / tokens)
    assert find_unknown_tokens(encode_pairs(TRAIN, made)[0]) == []


def whats(recipe, train, valid):
    return [finding.what for finding in find_suspicious_pairs(recipe, train, valid).findings]


def test_suspicious_pairs_are_looked_for_in_both_corpora_and_between_them():
    train = Corpus("t.tsv", ["a b", "same"], ["x y", "same"])
    valid = Corpus("v.tsv", ["a b", "also"], ["x y", "also"])
    recipe = Recipe.of(corpus="t.tsv", valid="v.tsv")
    found = find_suspicious_pairs(recipe, train, valid).findings
    assert [finding.location for finding in found] == ["t.tsv:2", "v.tsv:2", "v.tsv:1"]
    assert "also a training pair" in found[2].what


def test_held_out_pairs_are_checked_together_with_the_rest():
    train, valid = Corpus("t.tsv", ["same", "b"], ["same", "y"]), Corpus("t.tsv", ["also"], ["also"], (), [3])
    (found,) = find_suspicious_pairs(Recipe.of(corpus="t.tsv"), train, valid).findings
    assert (found.number, found.location) == (2, "t.tsv:1")


def test_one_corpus_that_validates_itself_does_not_overlap():
    assert whats(Recipe.of(corpus="t.tsv"), TRAIN, TRAIN) == []
    # The same file named twice is another matter.
    assert len(whats(Recipe.of(corpus="t.tsv", valid="t.tsv"), TRAIN, Corpus(TRAIN.name, *zip(*pairs(TRAIN))))) == 1
