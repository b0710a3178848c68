import gzip
import io
import random
import sys

import pytest

from seq2seq_cli.errors import UserError
from seq2seq_cli.text.corpus import Corpus, hold_out, read_corpus, read_lines


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_tsv_with_further_columns(tmp_path):
    corpus = read_corpus(write(tmp_path / "p.tsv", "a\tA\tmore\tcolumns\nb\tB\n"))
    assert (list(corpus.sources), list(corpus.targets)) == (["a", "b"], ["A", "B"])


def test_two_files(tmp_path):
    source, target = write(tmp_path / "t.de", "eins\nzwei\n"), write(tmp_path / "t.en", "one\ntwo")
    corpus = read_corpus(f"{source},{target}")
    assert (list(corpus.sources), list(corpus.targets)) == (["eins", "zwei"], ["one", "two"])


def test_a_file_whose_name_holds_a_comma(tmp_path):
    assert len(read_corpus(write(tmp_path / "a,b.tsv", "x\ty\n"))) == 1


def test_gzip_is_read_transparently(tmp_path):
    source, target = write(tmp_path / "t.de.gz", gzip.compress(b"eins\n")), write(tmp_path / "t.en", "one\n")
    assert list(read_corpus(f"{source},{target}").sources) == ["eins"]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq_cli.text.corpus.LONGEST_LINE", 10)
    path = write(tmp_path / "t", "1234567890\n".replace("0", "") + "x" * 11)
    with pytest.raises(UserError, match="longer than") as caught:
        list(read_lines(path))
    assert caught.value.where == f"{path}, line 2"


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("é\tE\n".encode())))
    assert list(read_corpus("-").sources) == ["é"]


def test_byte_order_mark_is_dropped_and_crlf_accepted(tmp_path):
    corpus = read_corpus(write(tmp_path / "p.tsv", b"\xef\xbb\xbfa\tA\r\nb\tB\r\n"))
    assert (list(corpus.sources), list(corpus.targets)) == (["a", "b"], ["A", "B"])


def test_a_line_ends_at_lf_crlf_or_cr_and_at_nothing_else(tmp_path):
    strange = "a\u2028b\u0085c\x0bd\x0ce\x1cf\x1dg\x1eh"
    lines = [strange, "next", "", "after CR", "", "x", "last"]
    text = f"{strange}\nnext\n\nafter CR\r\rx\r\nlast"
    for end in ("", "\n", "\r", "\r\n"):
        assert list(read_lines(write(tmp_path / "p.txt", text + end))) == lines


def test_a_corpus_whose_lines_end_with_a_lone_cr_loses_no_pair(tmp_path):
    corpus = read_corpus(write(tmp_path / "p.tsv", "a\tA\rb\tB\rc\tC"))
    assert list(zip(corpus.sources, corpus.targets)) == [("a", "A"), ("b", "B"), ("c", "C")]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_crlf_that_is_divided_between_two_pieces_is_one_line_end(size, tmp_path, monkeypatch):
    monkeypatch.setattr("seq2seq_cli.text.streams.PIECE", size)
    path = write(tmp_path / "p.txt", b"ab\r\n\r\nc\r\rd\n\r\ne")
    assert list(read_lines(path)) == ["ab", "", "c", "", "d", "", "e"]


def test_a_byte_order_mark_is_dropped_wherever_a_file_was_joined(tmp_path):
    mark = b"\xef\xbb\xbf"
    corpus = read_corpus(write(tmp_path / "p.tsv", mark + b"a\tA\n" + mark + mark + b"b\tB\n" + mark))
    assert list(corpus.sources) == ["a", "b"]
    utf16 = b"".join(text.encode("utf-16") for text in ("a\tA\n", "b\tB\n"))
    assert list(read_corpus(write(tmp_path / "p.tsv", utf16)).sources) == ["a", "b"]


def test_pairs_with_an_empty_side_are_skipped_and_counted(tmp_path):
    corpus = read_corpus(write(tmp_path / "p.tsv", "a\tA\n\tB\nc\t \n\nd\tD\n"))
    assert list(corpus.sources) == ["a", "d"]
    assert list(corpus.skipped) == [2, 3, 4]


ERRORS = [
    ("p.tsv", b"a\tA\nno tab here\n", "no tab", "line 2"),
    ("p.tsv", b"a\tA\nb\xff\tB\n", "not UTF-8 (byte 2 is 0xff)", "line 2"),
    ("p.tsv", b"", "empty", "p.tsv"),
    ("p.tsv", b"\n\t\n", "every line has an empty side", "p.tsv"),
    ("p.tsv.gz", b"not gzip", "this line has no tab", "p.tsv.gz, line 1"),
    ("p.tsv.gz", gzip.compress(b"a\tA\n" * 1000)[:-20], "gzip", "p.tsv.gz"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_a_bad_file_is_an_error_with_file_line_and_fix(case, tmp_path):
    name, content, what, where = ERRORS[case]
    with pytest.raises(UserError) as caught:
        read_corpus(write(tmp_path / name, content))
    assert what in caught.value.what
    assert where in caught.value.where
    assert str(tmp_path) in caught.value.where
    assert caught.value.fix
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(("first", "second"), [(2, 1), (1, 2), (7, 2), (0, 5), (3, 0)])
def test_sides_of_different_lengths(first, second, tmp_path):
    source, target = write(tmp_path / "val.de", "a\n" * first), write(tmp_path / "val.en", "A\n" * second)
    with pytest.raises(UserError, match=f"different lengths: {first} and {second} lines") as caught:
        read_corpus(f"{source},{target}")
    assert caught.value.where == f"{source}, {target}"


@pytest.mark.parametrize("name", ["nothing.tsv", "no,thing", "nothing.gz"])
def test_a_missing_file(name, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_corpus(str(tmp_path / name))


def test_a_folder(tmp_path):
    with pytest.raises(UserError, match="folder"):
        read_corpus(str(tmp_path))


@pytest.mark.parametrize("name", ["", "a.txt,", ",b.txt", "a,b,c"])
def test_a_name_that_is_neither_one_file_nor_two_is_refused(name):
    with pytest.raises(UserError, match="one file, or two") as caught:
        read_corpus(name)
    assert caught.value.where


def numbered(n):
    return Corpus("c", [str(k) for k in range(n)], [str(-k) for k in range(n)])


def test_hold_out_is_seeded_disjoint_and_loses_nothing():
    corpus = numbered(200)
    train, valid = hold_out(corpus, seed=1)
    assert len(valid) == 10
    assert sorted([*train.sources, *valid.sources], key=int) == corpus.sources
    assert all(t == str(-int(s)) for s, t in zip(valid.sources, valid.targets))
    assert list(hold_out(corpus, seed=1)[1].sources) == list(valid.sources)
    assert list(hold_out(corpus, seed=2)[1].sources) != list(valid.sources)


@pytest.mark.parametrize("seed", range(5))
def test_hold_out_takes_the_sources_that_a_sample_of_the_distinct_ones_takes(seed):
    words = random.Random(seed).choices([f"w{k}" for k in range(60)], k=300)
    corpus = Corpus("c", words, [str(k) for k in range(300)])
    distinct = list(dict.fromkeys(words))
    chosen = set(random.Random(seed).sample(distinct, 15))  # 5% of 300
    train, valid = hold_out(corpus, seed)
    assert list(valid.targets) == [str(k) for k, word in enumerate(words) if word in chosen]
    assert list(train.targets) == [str(k) for k, word in enumerate(words) if word not in chosen]
    assert [train.line(k) for k in range(len(train))] == [int(target) + 1 for target in train.targets]


def test_hold_out_never_puts_a_source_on_both_sides():
    corpus = Corpus("c", ["x", "y"] * 50, [str(k) for k in range(100)])
    train, valid = hold_out(corpus, seed=1)
    assert set(train.sources).isdisjoint(valid.sources)
    assert len(train) + len(valid) == 100


def test_one_pair_is_its_own_validation():
    train, valid = hold_out(numbered(1), seed=1)
    assert len(train) == len(valid) == 1


def test_a_selection_keeps_the_line_numbers_and_what_was_skipped(tmp_path):
    corpus = read_corpus(write(tmp_path / "p.tsv", "a\tA\n\tB\nc\tC\nd\tD\n"))
    chosen = corpus.select([0, 1, 1])
    assert list(zip(chosen.sources, chosen.targets)) == [("c", "C"), ("d", "D")]
    assert [chosen.line(k) for k in range(2)] == [3, 4]
    assert list(chosen.skipped) == [2]
    both = chosen.joined(numbered(2))
    assert list(both.sources) == ["c", "d", "0", "1"]
    assert [both.line(k) for k in range(4)] == [3, 4, 1, 2]
