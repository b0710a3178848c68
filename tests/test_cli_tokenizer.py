import gzip

import pytest

from seq2seq_cli.storage.checkpoint import load_model
from tests.conftest import assert_explained

TEXT = "Hello, world! It's the 3 cats' house.\nA\u00a0? and ▁ and \\ too.\n"


@pytest.mark.parametrize("kind", ["bpe", "word", "char"])
@pytest.mark.parametrize("ids", [(), ("--ids",)])
def test_encode_and_decode_round_trip(kind, ids, cli, tmp_path):
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    result = cli("tokenizer", "train", "t.txt.gz", "-o", "tok.json", "--kind", kind, "--vocab-size", "80")
    assert (result.returncode, result.stdout) == (0, b"")
    encoded = cli("tokenizer", "encode", "-t", "tok.json", *ids, stdin=f"\n{TEXT}".encode()).stdout
    assert encoded.count(b"\n") == 3
    decoded = cli("tokenizer", "decode", "-t", "tok.json", *ids, stdin=encoded).stdout
    assert decoded.decode() == f"\n{TEXT}"


def test_unknown_characters_are_reported_with_their_line(cli, tmp_path):
    (tmp_path / "t.txt").write_text("abc\n")
    cli("tokenizer", "train", "t.txt", "-o", "tok.json")
    result = cli("tokenizer", "encode", "-t", "tok.json", stdin="abc\naéb\n".encode())
    assert result.stdout.decode().splitlines()[1].count("<unk>") == 1
    assert "line 2: out of vocabulary, read as <unk>: é" in result.stderr.decode()
    assert "é" in result.stderr.decode()


def test_a_tokenizer_comes_from_standard_input_and_goes_to_standard_output(cli, tmp_path):
    flags = ("--kind", "char", "--vocab-size", "80")
    result = cli("tokenizer", "train", "-", "-o", "-", *flags, stdin=TEXT.encode())
    assert result.returncode == 0
    assert result.stderr.decode().endswith(" entries (char)\n")
    (tmp_path / "t.txt").write_text(TEXT, encoding="utf-8")
    cli("tokenizer", "train", "t.txt", "-o", "tok.json", *flags)
    assert result.stdout == (tmp_path / "tok.json").read_bytes()
    assert_explained(cli("tokenizer", "train", "-", "-", "-o", "x.json"), 2, "be read only once")
    for command in ("encode", "decode"):
        assert_explained(cli("tokenizer", command, "-t", "-", stdin=b"a\n"), 2, "--tokenizer", "standard input")


def test_errors_are_explained(cli, tmp_path):
    (tmp_path / "t.txt").write_text("abc\n")
    (tmp_path / "empty.txt").write_text("\n")
    assert_explained(cli("tokenizer", "train", "nothing.txt", "-o", "x.json"), 1, "no such file")
    assert_explained(cli("tokenizer", "train", "nothing.txt", "-o", "nowhere/x.json"), 1, "no such folder")
    assert_explained(cli("tokenizer", "train", "empty.txt", "-o", "x.json"), 1, "no text to train on")
    assert_explained(cli("tokenizer", "train", "t.txt", "-o", "x.json", "--kind", "pieces"), 2, "bpe, word, char")
    assert_explained(cli("tokenizer", "train", "t.txt", "-o", "x.json", "--vocab-size", "1"), 2, "--vocab-size")
    assert_explained(cli("tokenizer", "train", "t.txt"), 2, "--output")
    assert_explained(cli("tokenizer", "encode", "-t", "t.txt"), 1, "not JSON")
    assert not (tmp_path / "x.json").exists()
    cli("tokenizer", "train", "t.txt", "-o", "tok.json")
    assert_explained(cli("tokenizer", "decode", "-t", "tok.json", stdin=b"zzz\n"), 1, "'zzz'", "line 1")
    assert_explained(cli("tokenizer", "decode", "-t", "tok.json", "--ids", stdin=b"1 999\n"), 1, "'999'", "line 1")
    assert_explained(cli("tokenizer", "decode", "-t", "tok.json", "--ids", stdin=b"-1\n"), 1, "'-1'", "line 1")


def test_the_tokenizers_of_a_model_encode_its_source_and_decode_its_target(cli, trained):
    model = load_model(trained / "model.npz")
    encoded = cli("tokenizer", "encode", "-t", trained / "model.npz", "--ids", stdin=b"red cat\n\n").stdout
    assert encoded.decode() == f"{' '.join(map(str, model.source_tokenizer.encode('red cat')))}\n\n"
    ids = " ".join(map(str, model.target_tokenizer.encode("rouge chat")))
    decoded = cli("tokenizer", "decode", "-t", trained / "model.npz", "--ids", stdin=f"{ids}\n".encode()).stdout
    assert decoded == b"rouge chat\n"
    assert_explained(cli("tokenizer", "encode", "-t", "nothing.npz", stdin=b"a\n"), 1, "no such file", "nothing.npz")


def test_without_a_size_all_characters_are_covered(cli, tmp_path):
    text = "".join(chr(0x4E00 + k) + "\n" * (k % 9 == 8) for k in range(3600))
    (tmp_path / "zh").write_text(text, encoding="utf-8")
    result = cli("tokenizer", "train", "zh", "-o", "t.json", "--kind", "char")
    assert b"3604 entries" in result.stderr  # 3 special tokens and the space
    assert b"100 entries" in cli("tokenizer", "train", "zh", "-o", "s.json", "--vocab-size", "100").stderr
    assert b"--vocab-size must be from 4" in cli("tokenizer", "train", "zh", "-o", "s.json", "--vocab-size", "0").stderr


def test_the_tokenizers_of_a_model_encode_and_decode(trained, cli):
    for side, sentence in (("source", "red cat"), ("target", "rouge chat")):
        flags = ("-t", "model.npz", "--side", side)
        encoded = cli("tokenizer", "encode", *flags, cwd=trained, stdin=f"{sentence}\n".encode())
        tokenizer = getattr(load_model(trained / "model.npz"), f"{side}_tokenizer")
        assert len(encoded.stdout.split()) == len(tokenizer.encode(sentence)), encoded.stderr
        decoded = cli("tokenizer", "decode", *flags, cwd=trained, stdin=encoded.stdout)
        assert decoded.stdout.decode() == f"{sentence}\n"
    source = cli("tokenizer", "encode", "-t", "model.npz", cwd=trained, stdin=b"red cat\n").stdout
    flags = ("-t", "model.npz", "--side", "source")
    assert source == cli("tokenizer", "encode", *flags, cwd=trained, stdin=b"red cat\n").stdout
    assert_explained(cli("tokenizer", "encode", "-t", "model.npz", "--side", "left", cwd=trained), 2, "source, target")
    cli("tokenizer", "train", "pairs.tsv", "-o", "t.json", cwd=trained)
    assert_explained(cli("tokenizer", "encode", "-t", "t.json", "--side", "source", cwd=trained), 2, "only for")
