"""A first-time user's path, from a checkout to translations of an own corpus; the network is not needed.

What the README tells them to type is typed here, in a folder of their own, with ``python -m seq2seq_cli`` as the
installed command.
"""

from __future__ import annotations

import json
import random

import pytest

from tests.conftest import assert_explained, run_cli

ITALIAN = {
    "the": "il", "a": "un", "cat": "gatto", "dog": "cane", "boy": "ragazzo", "horse": "cavallo", "teacher": "maestro",
    "sees": "vede", "hears": "sente", "looks for": "cerca", "loves": "ama",
}  # fmt: skip
NOUNS, VERBS = list(ITALIAN)[2:7], list(ITALIAN)[7:]
SMALL = (
    "--embedding-size", "24", "--hidden-size", "48", "--tokenizer", "word", "--batch-size", "16",
    "--learning-rate", "0.01", "--dropout", "0",
)  # fmt: skip


def say(*, generator: random.Random) -> tuple[str, str]:
    english = [generator.choice(group) for group in (["the", "a"], NOUNS, VERBS, ["the", "a"], NOUNS)]
    return tuple(" ".join(words).capitalize() + "." for words in (english, [ITALIAN[word] for word in english]))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The user's folder: what a Tatoeba export looks like, with a third column, and a test set as two files."""
    folder = tmp_path_factory.mktemp("home")
    generator = random.Random(1)
    pairs = list(dict.fromkeys(say(generator=generator) for _ in range(900)))
    test, train = pairs[:20], pairs[20:]
    (folder / "pairs.tsv").write_text("".join(f"{a}\t{b}\tCC-BY 2.0\n" for a, b in train), encoding="utf-8")
    for k, name in enumerate(("test.en", "test.it")):
        (folder / name).write_text("".join(f"{pair[k]}\n" for pair in test), encoding="utf-8")
    return folder


def test_own_corpus_from_help_to_scores(home):
    def type_in(*arguments, stdin=b""):
        return run_cli(*arguments, cwd=home, stdin=stdin, OPENBLAS_NUM_THREADS="1")

    # What is there?
    shown = type_in("--help").stdout.decode()
    for command in ("train", "translate", "eval", "inspect", "plot", "gradcheck", "tokenizer"):
        assert command in shown
    assert "--reverse-source" in type_in("train", "--help").stdout.decode()

    # Too early: the error says what to do first.
    assert_explained(type_in("translate", "The cat sees a dog."), 1, "there is no model", "seq2seq train")

    # A training that is too short, interrupted by a limit, then taken up again.
    started = type_in("train", "pairs.tsv", "-o", "mine.npz", *SMALL, "--max-steps", "20")
    assert started.returncode == 0, started.stderr.decode()
    assert started.stdout == b""
    assert "seq2seq translate -m mine.npz" in started.stderr.decode()
    assert sorted(path.name for path in home.glob("*.npz")) == ["mine.npz", "mine.state.npz"]
    young = json.loads(type_in("eval", "test.en,test.it", "-m", "mine.npz", "--json").stdout)
    resumed = type_in("train", "pairs.tsv", "-o", "mine.npz", *SMALL, "--max-steps", "350", "--resume")
    assert resumed.returncode == 0, resumed.stderr.decode()

    # It has learned the corpus.
    scores = json.loads(type_in("eval", "test.en,test.it", "-m", "mine.npz", "--json").stdout)
    assert scores["bleu"] > max(80.0, young["bleu"])
    assert scores["sentences"] == 20
    assert "|tok:13a|" in scores["signatures"]["bleu"]
    assert "BLEU" in type_in("eval", "test.en,test.it", "-m", "mine.npz", "--by-length").stdout.decode()

    # One line, many lines, a file: the same text for the same sentence.
    sources = (home / "test.en").read_text(encoding="utf-8").splitlines()
    filtered = type_in("translate", "-m", "mine.npz", stdin="\n".join(["", *sources, ""]).encode())
    outputs = filtered.stdout.decode().split("\n")
    assert outputs[0] == ""
    assert len(outputs) == len(sources) + 2
    assert type_in("translate", "-m", "mine.npz", sources[3]).stdout.decode() == outputs[4] + "\n"
    written = type_in("translate", "-m", "mine.npz", "-i", "test.en", "-o", "out.it")
    assert written.returncode == 0
    assert (home / "out.it").read_text(encoding="utf-8").splitlines() == outputs[1:-1]
    references = (home / "test.it").read_text(encoding="utf-8").splitlines()
    assert sum(a == b for a, b in zip(outputs[1:-1], references)) >= 12

    # Words that are out of vocabulary are reported, and the file can be inspected.
    assert "pizza" in type_in("translate", "-m", "mine.npz", "The boy loves a pizza.").stderr.decode()
    facts = json.loads(type_in("inspect", "mine.npz", "--json").stdout)
    assert facts["corpus"] == "pairs.tsv"
    assert facts["history"][-1]["step"] > 20  # the best so far; the training went on after the resumption
