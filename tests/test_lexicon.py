import json
import re

import numpy as np
import pytest

from seq2seq_cli.config import TokenizerConfig
from seq2seq_cli.storage.checkpoint import load_model
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.training.batches import encode_corpus
from seq2seq_cli.training.lexicon import copies, learn_bigrams, learn_lexicons
from tests.conftest import SMALL, write_pairs

SOURCES, TARGETS = (
    ["the cat 7", "the dog 8", "a cat Tom", "a dog"],
    ["le chat 7", "le chien 8", "un chat Tom", "un chien"],
)


def tokenizers():
    return [train_tokenizer(TokenizerConfig("word", 50), lines) for lines in (SOURCES, TARGETS)]


def test_words_names_and_numbers_find_their_translation():
    source, target = tokenizers()
    corpus, _ = encode_corpus(Corpus("c", SOURCES, TARGETS), source, target, reverse_source=False)
    lexicon, reverse = learn_lexicons(corpus, source, target)
    best = {word: target.vocabulary[lexicon.indices[k, 0]] for word, k in source.ids.items()}
    assert [best[word] for word in (" cat", " dog", " 7", " Tom", "</s>")] == [" chat", " chien", " 7", " Tom", "</s>"]
    back = {word: source.vocabulary[reverse.indices[k, 0]] for word, k in target.ids.items()}
    assert [back[word] for word in (" chat", " chien", " 7", " Tom", "</s>")] == [" cat", " dog", " 7", " Tom", "</s>"]


@pytest.mark.parametrize("reverse_source", [False, True])
def test_bigrams_are_what_follows_a_token_where_it_is_aligned(reverse_source):
    source, target = tokenizers()
    corpus, _ = encode_corpus(Corpus("c", SOURCES, TARGETS), source, target, reverse_source)
    lexicons = learn_lexicons(corpus, source, target, reverse_source)
    table = learn_bigrams(corpus, lexicons, len(target), reverse_source)
    words = [(source.vocabulary[s], target.vocabulary[u], target.vocabulary[v]) for s, u, v in table.triples]
    found = dict(zip(words, table.counts.tolist()))
    assert found[" the", "<s>", " le"] == 2
    assert found[" cat", " le", " chat"] == found[" cat", " un", " chat"] == 1
    assert found["</s>", " chien", "</s>"] == found[" 7", " chat", " 7"] == 1
    assert table.counts.sum() == corpus.target_tokens


def test_tables_do_not_depend_on_the_order_in_which_the_source_is_read():
    source, target = tokenizers()
    read = [encode_corpus(Corpus("c", SOURCES, TARGETS), source, target, reverse)[0] for reverse in (False, True)]
    for plain, reverse in zip(*(learn_lexicons(corpus, source, target, k == 1) for k, corpus in enumerate(read))):
        np.testing.assert_array_equal(plain.indices, reverse.indices)
        np.testing.assert_array_equal(plain.values, reverse.values)


def test_same_texts_are_copies_but_for_special_tokens():
    source, target = tokenizers()
    found = {word: target.vocabulary[k] for word, k in zip(source.vocabulary, copies(source, target)) if k >= 0}
    assert found == {word: word for word in (" 7", " 8", " Tom")}


def test_a_model_with_a_lexical_prior_trains_resumes_translates_and_is_inspected(cli, tmp_path):
    write_pairs(tmp_path / "pairs.tsv")
    arguments = ("--valid", "pairs.tsv", "--lexical-prior", "--learning-rate", "0.01", "--cool-down", "0", *SMALL)
    assert cli("train", "pairs.tsv", *arguments, "--max-steps", "20", "-o", "parts.npz").returncode == 0
    for output, resume in (("parts.npz", ("--resume",)), ("whole.npz", ())):
        result = cli("train", "pairs.tsv", *arguments, "--max-steps", "130", "-o", output, *resume)
        assert result.returncode == 0, result.stderr.decode()
        assert "context every-step, pooled, lexical prior" in result.stderr.decode()
    parts, whole = (load_model(tmp_path / name).model for name in ("parts.npz", "whole.npz"))
    for part, of_whole in zip(parts.tables[:2], whole.tables[:2]):
        np.testing.assert_array_equal(part.values, of_whole.values)
    np.testing.assert_array_equal(parts.parameters.flat, whole.parameters.flat)
    translation = json.loads(cli("translate", "red old cat", "-m", "whole.npz", "--explain", "--json").stdout)
    assert translation["translations"][0]["text"] == "rouge vieux chat"
    assert all(0 <= step["prior"] <= 1 and np.isfinite(step["gate"]) for step in translation["steps"])
    probabilities = [entry["probability"] for entry in translation["prior"]]
    assert probabilities == sorted(probabilities, reverse=True)
    explained = cli("translate", "red old cat", "-m", "whole.npz", "--explain").stdout.decode()
    assert "lexical prior" in explained
    assert re.search(r"prior +gate", explained)
    found = json.loads(cli("inspect", "whole.npz", "--json").stdout)
    assert found["settings"]["lexical-prior"] is True
    assert found["lexical_prior"]["source_tokens"] == found["model"]["source_vocabulary"]
    assert found["lexical_prior"]["reverse_table"] is True
    assert found["bigram_prior"]["triples"] > 0
    assert "bigram prior: " in cli("inspect", "whole.npz").stdout.decode()
    assert "lexical prior: " in (text := cli("inspect", "whole.npz").stdout.decode())
    assert "and a reverse table" in text


def test_a_training_with_another_prior_cannot_be_resumed(trained, cli):
    result = cli("train", "pairs.tsv", "--no-lexical-prior", "--resume", "--epochs", "13", cwd=trained)
    assert result.returncode == 1
    assert "--lexical-prior False is not what this training started with" in result.stderr.decode()
