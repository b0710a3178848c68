import numpy as np
import pytest

from seq2seq_cli.text.corpus import Corpus, hold_out, read_corpus
from seq2seq_cli.text.statistics import count_oov, length_histogram, overlap, suspicious_pairs

PAIRS = """\
red cat\tchat rouge
\tchien
same side\tsame side
old dog\tvieux chien
Old  copy!\told copy
red cat\tchat rouge
one\tun deux trois quatre cinq
one two three four five\tun
same side\tsame side
red cat\tchat bleu
"""


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(PAIRS)
    return read_corpus(str(path))


def found(corpus):
    return {finding.what: (finding.number, finding.location.rpartition("/")[2]) for finding in suspicious_pairs(corpus)}


def test_each_kind_of_suspicious_pair_is_counted_with_the_line_of_the_first(corpus):
    assert found(corpus) == {
        "1 pair with an empty side": (1, "pairs.tsv:2"),
        "2 pairs with identical sides": (2, "pairs.tsv:3"),
        "1 pair that is a copy but for case, spaces or punctuation": (1, "pairs.tsv:5"),
        "2 pairs with one side over 4 times as long as the other": (2, "pairs.tsv:7"),
        "2 pairs that repeat an earlier pair": (2, "pairs.tsv:6"),
    }


def test_line_numbers_survive_holding_out(corpus):
    train, valid = hold_out(corpus, seed=1, share=0.3)
    lines = PAIRS.splitlines()
    for part in (train, valid):
        for k in range(len(part)):
            assert lines[part.line(k) - 1] == f"{part.sources[k]}\t{part.targets[k]}"


def test_a_good_corpus_raises_no_suspicion():
    corpus = Corpus("c", ["a b", "c d"], ["A B", "C D"])
    assert found(Corpus("c", ["red cat", "old dog"], ["chat rouge", "vieux chien"])) == {}
    assert found(corpus) == {"2 pairs that are copies but for case, spaces or punctuation": (2, "c:1")}


def test_punctuation_alone_is_no_copy():
    assert found(Corpus("c", ["!"], ["?"])) == {}


UNEVEN = "1 pair with one side over 4 times as long as the other"
FRENCH = [("red cat", "chat rouge"), ("old dog", "vieux chien"), ("My cat sleeps.", "Mon chat dort.")]
CHINESE = [("谢谢。", "Thank you very much."), ("我喜欢这本书。", "I like this book."), ("你好！", "Hello!")]
THAI = [("ฉันชอบหนังสือเล่มนี้", "I like this book"), ("ขอบคุณ", "Thank you"), ("แมวกำลังนอนหลับ", "The cat is sleeping")]


def corpus_of(pairs):
    return Corpus("c", *map(list, zip(*pairs)))


@pytest.mark.parametrize(
    ("source", "target", "uneven"),
    [
        ("Xyzzyplughfoobar", "le mot que personne ne connaît", True),  # a long word is one word
        ("Donaudampfschifffahrt", "la navigation à vapeur", False),
        ("Go !", "un deux trois quatre", False),
        ("Go !", "un deux trois quatre cinq", True),  # punctuation is no word
        ("...", "un deux trois quatre cinq", True),
        ("What is the matter with you?", "Qu'avez-vous ?", False),
    ],
)
def test_lengths_are_compared_in_words_whatever_the_tokenizer(source, target, uneven):
    for pair in ((source, target), (target, source)):
        assert found(corpus_of([*FRENCH, pair])) == ({UNEVEN: (1, "c:4")} if uneven else {})


@pytest.mark.parametrize("pairs", [CHINESE, THAI])
def test_a_language_without_spaces_is_compared_in_letters(pairs):
    long, short = max((pair[0] for pair in pairs), key=len), min((pair[0] for pair in pairs), key=len)
    for turn in (1, -1):
        assert found(corpus_of([pair[::turn] for pair in pairs])) == {}
        for bad in ((short, "a sentence that is much too long for it and says so"), (3 * long, "short")):
            assert found(corpus_of([pair[::turn] for pair in [*pairs * 3, bad]]))[UNEVEN] == (1, "c:10")


def test_without_spaces_on_either_side_letters_are_compared():
    pairs = [("我喜欢这本书。", "私はこの本が好きです。"), ("谢谢。", "ありがとう。")]
    assert found(corpus_of(pairs)) == {}
    assert found(corpus_of([*pairs, ("好", "私はこの本が好きです。")])) == {UNEVEN: (1, "c:3")}


def test_the_place_of_a_pair_in_two_files_is_that_of_the_first(tmp_path):
    (tmp_path / "a.de").write_text("eins\nzwei\n")
    (tmp_path / "a.en").write_text("one\nzwei\n")
    corpus = read_corpus(f"{tmp_path}/a.de,{tmp_path}/a.en")
    assert found(corpus) == {"1 pair with identical sides": (1, "a.de:2")}
    assert Corpus("-", ["a"], ["b"]).location(1) == "standard input:1"


def test_overlap_tells_whole_pairs_from_shared_sources():
    train = Corpus("train", ["red cat", "old dog", "bird"], ["chat rouge", "vieux chien", "oiseau"])
    valid = Corpus("valid", ["new", "old dog", "bird", "old dog"], ["neuf", "chien", "oiseau", "vieux chien"])
    findings = {finding.what: (finding.number, finding.location) for finding in overlap(train, valid)}
    assert findings == {
        "2 pairs of the validation corpus that are also training pairs": (2, "valid:3"),
        "1 pair of the validation corpus whose source is also in training, with another translation": (1, "valid:2"),
    }
    assert overlap(train, Corpus("valid", ["new"], ["neuf"])) == []


def test_a_held_out_share_does_not_overlap(corpus):
    assert overlap(*hold_out(corpus, seed=1)) == []


@pytest.mark.parametrize(
    ("lengths", "labels"),
    [
        ([1], ["1"]),
        ([1, 2, 8], ["1", "2", "3", "4", "5", "6", "7", "8"]),
        ([3, 9], ["1–2", "3–4", "5–6", "7–8", "9–10"]),
        ([0, 40], [f"{k}–{k + 4}" for k in range(1, 40, 5)]),
        ([5] * 500 + [3000], ["1", "2", "3", "4", "5+"]),
        ([100_000], [f"{12_500 * k + 1}–{12_500 * (k + 1)}" for k in range(8)]),
    ],
)
def test_buckets_are_few_and_round_and_lose_no_sentence(lengths, labels):
    buckets = length_histogram(np.array(lengths), np.array(lengths[::-1]))
    assert [bucket.label for bucket in buckets] == labels
    assert sum(bucket.source for bucket in buckets) == sum(bucket.target for bucket in buckets) == len(lengths)


def test_each_sentence_is_in_the_bucket_of_its_length():
    buckets = length_histogram(np.array([1, 5, 6, 10]), np.array([40, 40, 40, 36]))
    assert [bucket.source for bucket in buckets[:2]] == [2, 2]
    assert buckets[-1].target == 4


def test_oov_words_are_counted_at_every_occurrence():
    found = count_oov(["The cat sleeps."], ["The dog sleeps.", "A dog!"], lowercase=False)
    assert found == (7, 4)  # dog, A, dog, !
    assert count_oov(["THE CAT"], ["the cat"], lowercase=True).rate == 0.0
    assert count_oov(["THE CAT"], ["the cat"], lowercase=False).rate == 1.0
    assert count_oov(["x"], [""], lowercase=False).rate == 0.0


def sentences(pairs, count=20):
    """A corpus with these pairs at its end, after sentences that are in order; each of them is its own."""
    good = [(f"the {a} {b} sleeps here", f"le {c} {d} dort ici") for a, c in NOUNS for b, d in NOUNS][:count]
    return corpus_of([*good, *pairs])


NOUNS = [("cat", "chat"), ("dog", "chien"), ("bird", "oiseau"), ("fish", "poisson"), ("horse", "cheval")]


@pytest.mark.parametrize(
    ("pair", "what"),
    [
        (("Tom &amp; Mary sleep", "Tom et Marie dorment"), "1 pair with an HTML entity such as &amp;"),
        (("It is here", "C&#39;est ici"), "1 pair with an HTML entity such as &amp;"),
        (("It is here", "C&#x27;est ici"), "1 pair with an HTML entity such as &amp;"),
        (('"She said ""no"" to me"', "Elle m'a dit non"), "1 pair in a spreadsheet's quotes"),
        (("She said no to me", '"""Non"", dit-elle"'), "1 pair in a spreadsheet's quotes"),
        (("1276", "Essayons quelque chose"), "1 pair with a number in place of text"),
        (("Let's try something", "1,277.5"), "1 pair with a number in place of text"),
        (("77", "1276"), "1 pair with a number in place of text"),
        (("le chat chien dort ici", "the cat dog sleeps here"), "1 pair with exchanged sides"),
        (("the bird sleeps here", "the horse cat sleeps here"), "1 pair with both sides in one language"),
        (("le poisson dort ici", "le cheval chat dort ici"), "1 pair with both sides in one language"),
        (("the cat sleeps " * 20, "le chat dort " * 20), "1 pair with a sentence far longer than the rest"),
    ],
)
def test_text_that_is_not_what_it_should_be_is_found(pair, what):
    assert found(sentences([pair]))[what] == (1, "c:21")


@pytest.mark.parametrize(
    "pair",
    [
        ("AT&T; R&D; fish & chips", "AT&T; R&D; poisson"),
        ("&nothing; of HTML", "&rien; de HTML"),
        ('"Who are you?" "I am Tom."', '"Qui es-tu ?" "Je suis Tom."'),
        ('"Hello!"', '"Bonjour !"'),
        ("He was born in 1276", "Il est né en 1276"),
        ("Paris", "la ville de Paris"),
    ],
)
def test_ordinary_text_raises_no_suspicion(pair):
    assert found(sentences([pair])) == {}


def test_a_corpus_that_is_all_in_quotes_is_a_spreadsheet():
    quoted = [(f'"{a}"', f'"{b}"') for a, b in NOUNS]
    assert found(corpus_of(quoted)) == {"5 pairs in a spreadsheet's quotes": (5, "c:1")}


def test_what_makes_a_corpus_useless_is_severe():
    def severe(corpus):
        return [finding.what for finding in suspicious_pairs(corpus) if finding.severe]

    assert severe(corpus_of([(str(k), f"mot {k}") for k in range(9)])) == ["9 pairs with a number in place of text"]
    assert severe(sentences([("12", "le chat")])) == []
    good = list(zip(*(getattr(sentences([], 25), side) for side in ("sources", "targets"))))
    exchanged = [pair[:: -1 if k % 5 == 0 else 1] for k, pair in enumerate(good)]
    assert severe(corpus_of(exchanged)) == ["5 pairs with exchanged sides"]
    assert severe(corpus_of(good)) == []


def test_oov_characters_are_counted_where_there_are_no_spaces():
    assert count_oov(["我喜欢书。"], ["我喜欢猫。", "他看 iPhone"], lowercase=False) == (8, 4)  # 猫, 他, 看, iPhone
    assert count_oov(["ที่นี่"], ["นี่ที่"], lowercase=False) == (2, 0)


def test_a_few_words_between_spaces_do_not_hide_that_a_language_has_none():
    pairs = [("他 用 iPhone 看 新闻", "He reads the news on his phone"), ("我 很 好", "I am very well")]
    assert found(corpus_of(pairs)) == {}
    repeated = {"4 pairs that repeat an earlier pair": (4, "c:3")}
    bad = ("好", "this sentence has many more words than that one")
    assert found(corpus_of([*pairs * 3, bad])) == {UNEVEN: (1, "c:7"), **repeated}
