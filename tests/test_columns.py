"""The columns of a corpus: Tatoeba's exports are recognized, and a number is never taken for a sentence in silence."""

import pytest

from seq2seq_cli.errors import DataNote, UserError
from seq2seq_cli.text.columns import SAMPLE, Columns, find_columns
from seq2seq_cli.text.corpus import read_corpus
from tests.conftest import SMALL, write_pairs

WORDS = [("Hello.", "Bonjour."), ("Wait!", "Attendez !"), ("Thank you.", "Merci.")]
IDS = [(1276, 573), (1277, 574), (1282, 411604)]
NOTE = "source and target are columns {} and {} ({} numbers, as in exports of Tatoeba)"


def rows(layout, count=3):
    """Lines of a layout: i and j are numbers, s and t the texts, e and f language codes, c a licence."""
    for k in range(count):
        (s, t), (i, j) = WORDS[k % 3], IDS[k % 3]
        cells = {"i": i + k, "j": j + k, "s": s, "t": t, "e": "eng", "f": "fra", "c": "CC-BY 2.0"}
        yield "\t".join(str(cells[cell]) for cell in layout)


LAYOUTS = [
    ("ist", 1, 2, "column 1 is"),
    ("isjt", 1, 3, "columns 1 and 3 are"),
    ("isjtc", 1, 3, "columns 1 and 3 are"),
    ("isit", 1, 3, "columns 1 and 3 are"),
    ("sit", 0, 2, "column 2 is"),
    ("sitj", 0, 2, "column 2 is"),
    ("ijst", 2, 3, "columns 1 and 2 are"),
    ("iesjft", 2, 5, "columns 1 and 4 are"),
]


@pytest.mark.parametrize(("layout", "source", "target", "numbers"), LAYOUTS)
@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_columns_of_numbers_are_recognized_and_the_text_is_read(layout, source, target, numbers, count, tmp_path):
    if "e" in layout and count < 50:
        pytest.skip("a few equal words are no language code")
    (tmp_path / "p.tsv").write_text("\n".join(rows(layout, count)))
    with pytest.warns(DataNote, match=f"columns {source + 1} and {target + 1}"):
        corpus = read_corpus(str(tmp_path / "p.tsv"))
    assert list(zip(corpus.sources, corpus.targets)) == [WORDS[k % 3] for k in range(count)]
    assert corpus.columns == NOTE.format(source + 1, target + 1, numbers)
    assert corpus.select([1] * count).columns == corpus.columns


@pytest.mark.parametrize("layout", ["st", "stc", "stij", "is", "si", "ij", "cst"])
def test_without_two_other_columns_of_text_the_first_two_are_read(layout):
    assert find_columns(list(rows(layout, 50)), "p") == Columns()


def test_a_line_of_titles_does_not_hide_the_numbers():
    assert find_columns(["id\ttext\tid\ttext", *rows("isjt")], "p")[:2] == (1, 3)


def test_language_codes_beside_the_texts_are_skipped_too():
    assert find_columns(list(rows("esft", 50)), "p")[:2] == (1, 3)
    assert find_columns(list(rows("esft", 50)), "p").note == "source and target are columns 2 and 4"


@pytest.mark.parametrize(("layout", "rest"), [("ies", "numbers"), ("ijs", "numbers"), ("efs", "language codes")])
def test_a_file_with_one_column_of_text_is_refused(layout, rest, tmp_path):
    (tmp_path / "p.tsv").write_text("\n".join(rows(layout, 50)))
    with pytest.raises(UserError, match=f"only column 3 is text; {rest}") as caught:
        read_corpus(str(tmp_path / "p.tsv"))
    assert caught.value.where == str(tmp_path / "p.tsv")
    assert "pairs" in caught.value.fix


@pytest.mark.parametrize(
    ("line", "what"),
    [("1\tonly text", "this line has 2 columns"), ("Yes.\tOui.\tx\ty", "column 1 of this line is not a number")],
)
def test_a_later_line_of_another_layout_is_an_error_with_its_number(line, what, tmp_path):
    (tmp_path / "p.tsv").write_text("\n".join([*rows("isjt", SAMPLE), "", line]))
    with pytest.warns(DataNote), pytest.raises(UserError, match=what) as caught:
        read_corpus(str(tmp_path / "p.tsv"))
    assert caught.value.where == f"{tmp_path / 'p.tsv'}, line {SAMPLE + 2}"


def test_numbers_that_begin_a_phrase_book_are_text(tmp_path):
    lines = [f"{k}\tnumber {k}\tCC-BY {k}" for k in range(20)] + ["Hello.\tBonjour.\tCC-BY 3"]
    assert find_columns(lines, "p") == Columns()


def test_an_empty_side_between_numbers_is_skipped(tmp_path):
    (tmp_path / "p.tsv").write_text("1\ta\t2\tb\n3\t\t4\tc\n\n5\td\t6\te\n")
    with pytest.warns(DataNote):
        corpus = read_corpus(str(tmp_path / "p.tsv"))
    assert (list(corpus.sources), list(corpus.skipped)) == (["a", "d"], [2, 3])


def test_the_preflight_and_eval_say_which_columns_are_read(cli, tmp_path, trained):
    lines = write_pairs(tmp_path / "p.tsv").read_text().splitlines()
    (tmp_path / "t.tsv").write_text(
        "".join(f"{k}\t{line.replace(chr(9), f'{chr(9)}{k + 9}{chr(9)}')}\n" for k, line in enumerate(lines))
    )
    note = NOTE.format(2, 4, "columns 1 and 3 are")
    result = cli("train", "t.tsv", "--dry-run", *SMALL)
    assert result.returncode == 0, result.stderr.decode()
    assert f"columns:    t.tsv: {note}" in result.stdout.decode()
    assert b"note" not in result.stderr
    (tmp_path / "few.tsv").write_text("".join((tmp_path / "t.tsv").read_text().splitlines(keepends=True)[:9]))
    result = cli("eval", "few.tsv", "-m", trained / "model.npz")
    assert result.returncode == 0, result.stderr.decode()
    assert f"note: few.tsv: {note}" in result.stderr.decode()
