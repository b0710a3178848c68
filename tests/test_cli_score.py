"""``seq2seq score``."""

import json
import math

import pytest

from tests.conftest import assert_explained

PAIRS = "red cat\trouge chat\nold dog\tvieux chien\tignored\nblue bird\tchien\n"


def rows(result):
    assert result.returncode == 0, result.stderr.decode()
    return [[float(part) for part in line.split("\t")] for line in result.stdout.decode().splitlines()]


def test_every_pair_has_a_line_with_four_columns_and_stderr_has_the_total(trained, cli, tmp_path):
    (tmp_path / "p.tsv").write_text(PAIRS)
    result = cli("score", "p.tsv", "-m", trained / "model.npz")
    found = rows(result)
    assert len(found) == 3
    for log_probability, tokens, per_token, perplexity in found:
        assert per_token == pytest.approx(log_probability / tokens, abs=1e-4)
        assert perplexity == pytest.approx(math.exp(-per_token), rel=1e-3)
    assert found[2][2] < min(found[0][2], found[1][2])  # it is no translation
    total = sum(row[0] for row in found)
    tokens = int(sum(row[1] for row in found))
    assert f"3 pairs, {tokens} target tokens: log-probability {total:.2f}" in result.stderr.decode()
    assert cli("score", "p.tsv", "-m", trained / "model.npz", "--quiet").stderr == b""


def test_pairs_come_from_two_files_standard_input_and_go_to_a_file(trained, cli, tmp_path):
    (tmp_path / "p.tsv").write_text(PAIRS)
    expected = cli("score", "p.tsv", "-m", trained / "model.npz").stdout
    pairs = [line.split("\t") for line in PAIRS.splitlines()]
    for side, name in enumerate(("s.txt", "t.txt")):
        (tmp_path / name).write_text("".join(f"{pair[side]}\r\n" for pair in pairs))
    assert cli("score", "s.txt,t.txt", "-m", trained / "model.npz").stdout == expected
    assert cli("score", "-", "-m", trained / "model.npz", stdin=PAIRS.encode()).stdout == expected
    result = cli("score", "p.tsv", "-m", trained / "model.npz", "-o", "scores.txt", "--threads", "1")
    assert (result.stdout, (tmp_path / "scores.txt").read_bytes()) == (b"", expected)


def test_json_has_the_scores_of_all_tokens_and_total_one_line(trained, cli, tmp_path):
    (tmp_path / "p.tsv").write_text(PAIRS)
    arguments = ("score", "p.tsv", "-m", trained / "model.npz")
    found = [json.loads(line) for line in cli(*arguments, "--json").stdout.decode().splitlines()]
    assert [(each["line"], each["source"], each["target"]) for each in found] == [
        (line, *pair.split("\t")[:2]) for line, pair in enumerate(PAIRS.splitlines(), start=1)
    ]
    for each in found:
        assert sum(each["token_log_probabilities"]) == pytest.approx(each["log_probability"])
        assert len(each["token_log_probabilities"]) == each["tokens"] == len(each["target_tokens"]) + 1
    total = json.loads(cli(*arguments, "--total", "--json").stdout)
    assert total.keys() == {"log_probability", "tokens", "per_token", "perplexity", "pairs"}
    assert total["log_probability"] == pytest.approx(sum(each["log_probability"] for each in found))
    assert (total["pairs"], total["tokens"]) == (3, sum(each["tokens"] for each in found))
    [row] = rows(cli(*arguments, "--total"))
    assert row == pytest.approx(
        [total[name] for name in ("log_probability", "tokens", "per_token", "perplexity")], abs=1e-4
    )


@pytest.mark.parametrize("flags", [("--n-best", "4"), ("--sample", "--n-best", "4"), ("--beam", "1")])
def test_the_translations_of_a_search_have_the_log_probabilities_of_the_search(flags, trained, cli, tmp_path):
    lines = b"red cat\n\nold dog bird\nan unknown zebra\n"
    printed = cli("translate", "--json", *flags, "-m", trained / "model.npz", stdin=lines).stdout
    result = cli("score", "--translations", "-", "--json", "-m", trained / "model.npz", stdin=printed)
    found = [json.loads(line) for line in result.stdout.decode().splitlines()]
    expected = [
        (entry["line"], rank, each["tokens"], each["log_probability"])
        for entry in map(json.loads, printed.decode().splitlines())
        for rank, each in enumerate(entry["translations"], start=1)
    ]
    assert len(found) == len(expected)
    for score, (line, rank, tokens, log_probability) in zip(found, expected):
        assert (score["line"], score["rank"], score["target_tokens"]) == (line, rank, tokens)
        assert score["log_probability"] == pytest.approx(log_probability, abs=1e-4)
    columns = rows(cli("score", "--translations", "-", "-m", trained / "model.npz", stdin=printed))
    assert [row[:2] for row in columns] == [[line, rank] for line, rank, *_ in expected]


def test_translations_of_a_model_with_other_tokens_are_split_anew(trained, cli, tmp_path):
    entry = {"line": 1, "source": "red cat", "translations": [{"text": "rouge chat", "tokens": [" roug", "e chat"]}]}
    (tmp_path / "t.json").write_text(json.dumps(entry) + "\n")
    result = cli("score", "--translations", "t.json", "-m", trained / "model.npz")
    assert "1 translation has tokens that these models do not have" in result.stderr.decode()
    expected = cli("score", "-", "-m", trained / "model.npz", stdin=b"red cat\trouge chat\n")
    assert rows(result)[0][2:] == rows(expected)[0]


def test_an_ensemble_scores_with_the_mean_of_its_models(trained, cli):
    one = cli("score", "-", "-m", "model.npz", cwd=trained, stdin=PAIRS.encode())
    two = cli("score", "-", "-m", "model.npz", "-m", "model.npz", cwd=trained, stdin=PAIRS.encode())
    assert rows(two) == [pytest.approx(row, abs=2e-4) for row in rows(one)]


def test_odd_pairs_have_a_line_and_are_reported(trained, cli):
    result = cli("score", "-", cwd=trained, stdin="red cat\t\n\t\n\tchat\nold dog\tvieux \u6f22\n".encode())
    found = rows(result)
    assert len(found) == 4
    assert found[1] == [0, 0, 0, 1]  # nothing for nothing
    assert found[0][1] == 1
    said = result.stderr.decode()
    assert "2 pairs have an empty side, the first on line 1" in said
    assert "out of the target vocabulary, scored as <unk>: \u6f22 (line 4)" in said
    truncated = cli("score", "-", "--max-source-length", "1", cwd=trained, stdin=PAIRS.encode()).stderr.decode()
    assert "3 lines are longer than 1 tokens, the first is line 1: the rest of it was not read" in truncated
    nothing = cli("score", "-", cwd=trained)
    assert (nothing.returncode, nothing.stdout) == (0, b"")
    assert "0 pairs" in nothing.stderr.decode()


ERRORS = [
    (("p.tsv", "--translations", "p.tsv"), 2, "not both"),
    (("p.tsv", "-o", "p.tsv"), 2, "--output would overwrite CORPUS"),
    (("p.tsv", "-o", "link.tsv"), 2, "--output would overwrite CORPUS"),
    (("p.tsv", "-o", "no/where"), 1, "no such folder"),
    (("none.tsv",), 1, "no such file"),
    (("one.txt",), 1, "one.txt, line 1"),
    (("--translations", "p.tsv"), 1, "not from 'seq2seq translate --json'"),
    (("--translations", "p.tsv", "--swap"), 2, "has its own sources"),
    (("--translations", "half.json"), 1, "half.json, line 2"),
    ((), 2, "not trained on the built-in corpus"),
    (("p.tsv", "--threads", "0"), 2, "--threads"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors_are_explained_before_any_line_is_printed(case, trained, cli, tmp_path):
    arguments, code, message = ERRORS[case]
    (tmp_path / "p.tsv").write_text(PAIRS)
    (tmp_path / "one.txt").write_text("no tab\n")
    (tmp_path / "link.tsv").symlink_to("p.tsv")
    good = {"line": 1, "source": "a", "translations": [{"text": "b", "tokens": []}]}
    (tmp_path / "half.json").write_text(json.dumps(good) + '\n{"line": 2}\n')
    assert_explained(cli("score", *arguments, "-m", trained / "model.npz"), code, message)
    assert (tmp_path / "p.tsv").read_text() == PAIRS


def test_a_missing_model_is_explained(cli):
    assert_explained(cli("score", "-", stdin=PAIRS.encode()), 1, "there is no model")
