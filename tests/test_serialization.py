import pickle

import numpy as np

from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.storage.checkpoint import load_model
from seq2seq_cli.storage.serialization import pack, unpack
from tests.conftest import SMALL, write_pairs


def test_a_model_that_was_sent_translates_the_same(cli, tmp_path):
    write_pairs(tmp_path / "pairs.tsv")
    assert cli("train", "pairs.tsv", "--max-steps", "30", *SMALL).returncode == 0
    checkpoint = load_model(tmp_path / "model.npz")
    received = unpack(pickle.loads(pickle.dumps(pack(checkpoint))))
    np.testing.assert_array_equal(received.model.parameters.flat, checkpoint.model.parameters.flat)
    assert received.recipe == checkpoint.recipe
    text = (tmp_path / "pairs.tsv").read_text().partition("\t")[0]
    assert Translator([received], threads=1).translate([text]) == Translator([checkpoint], threads=1).translate([text])
