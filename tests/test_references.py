import pytest

from seq2seq_cli.errors import DataNote, UserError
from seq2seq_cli.evaluation.references import read_references

COLUMNS = "a\tA\tAA\tAAA\nb\tB\n\tC\tCC\nd\t\tDD\ne\t\t\nf\tF\t\tFFF\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.tsv").write_text(COLUMNS)
    (tmp_path / "more").write_text("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n")
    (tmp_path / "short").write_text("1\n2\n")
    (tmp_path / "s").write_text("a\nb\n")
    return tmp_path


def test_a_corpus_alone_has_one_reference(folder):
    assert read_references("c.tsv") == ("c.tsv", ["a", "b", "f"], [["A", "B", "F"]], [3, 4, 5])


def test_further_columns_are_references_on_request_and_empty_ones_are_none(folder):
    found = read_references("c.tsv", all_references=True)
    assert found.sources == ["a", "b", "d", "f"]
    assert found.references == [["A", "B", "DD", "F"], ["AA", None, None, "FFF"], ["AAA", None, None, None]]
    assert found.skipped == [3, 5]


def test_further_files_are_references_after_those_of_the_corpus_line_by_line(folder):
    assert read_references("c.tsv", ["more"]).references == [["A", "B", "F"], ["1", "2", "6"]]
    found = read_references("c.tsv", ["more", "more"], all_references=True)
    assert found.references[3:] == [["1", "2", "4", "6"]] * 2
    assert found.name == "c.tsv, more, more"


def test_lines_of_hypotheses_match_all_lines(folder):
    found = read_references("c.tsv", ["more"], keep_empty=True)
    assert found.references == [["A", "B", "C", "", "", "F"], ["1", "2", "3", "4", "5", "6"]]
    assert found.skipped == ()
    found = read_references("c.tsv", all_references=True, keep_empty=True)
    assert found.references[0] == ["A", "B", "C", "DD", "", "F"]


def test_files_alone_have_no_sources(folder):
    assert read_references(None, ["s", "short"]) == ("s, short", [], [["a", "b"], ["1", "2"]], ())


def test_what_does_not_fit_together_is_an_error(folder):
    with pytest.raises(UserError, match="different lengths: 6 and 2 lines") as caught:
        read_references("c.tsv", ["more", "short"])
    assert caught.value.where == "c.tsv, short"
    with pytest.raises(UserError, match="different lengths: 6 and 2 lines"):
        read_references(None, ["more", "short"])
    with pytest.raises(UserError, match="columns of one file") as caught:
        read_references("s,short", all_references=True)
    assert caught.value.exit_code == 2
    (folder / "tatoeba").write_text("1\ta\t5\tA\n2\tb\t6\tB\n")
    with pytest.raises(UserError, match="source and target are columns 2 and 4") as caught:
        read_references("tatoeba", all_references=True)
    assert caught.value.exit_code == 2
    with pytest.warns(DataNote, match="columns 2 and 4"):
        assert read_references("tatoeba").references == [["A", "B"]]
    (folder / "no").write_text("a\tA\nb\n")
    with pytest.raises(UserError, match="no tab") as caught:
        read_references("no", all_references=True)
    assert caught.value.where == "no, line 2"
    (folder / "empty").write_text("a\t\n")
    with pytest.raises(UserError, match="no references"):
        read_references("empty", all_references=True)
