import json

from tests.conftest import assert_explained


def test_inspect_shows_settings_parameters_and_history(trained, cli):
    text = cli("inspect", cwd=trained).stdout.decode()
    for part in ("pairs.tsv", "hidden_size", "encoder.rnn.weight_ih_l0", "bpe", "perplexity"):
        assert part in text
    found = json.loads(cli("inspect", "model.npz", "--json", cwd=trained).stdout)
    assert found["model"]["hidden_size"] == 32
    assert found["parameters"]["decoder.rnn.weight_hh_l0"] == [128, 32]
    log = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    validations = [record for record in log if "valid_loss" in record]
    assert found["history"] == validations[: len(found["history"])]
    assert found["history"][-1]["improved"]


def test_errors_are_explained(cli, tmp_path):
    assert_explained(cli("inspect"), 1, "no such file", "model.npz")
    (tmp_path / "x.npz").write_bytes(b"x")
    assert_explained(cli("inspect", "x.npz"), 1, "not a model file")
