import pytest

from seq2seq_cli import __version__
from seq2seq_cli.storage.origin import Origin


@pytest.mark.parametrize(
    ("version", "later"),
    [("", False), ("0.0.9", False), (__version__, False), ("12.0", True), ("0.10.0", True), ("dev", False)],
)
def test_versions_are_compared_by_their_numbers(version, later):
    assert Origin(version).is_later == later


def test_a_file_gets_the_version_of_the_program_that_writes_it():
    written = Origin("12.0", "1999-01-01T00:00:00Z", 7).to_json()
    assert (written["version"], written["pairs"]) == (__version__, 7)
    assert Origin.of({"origin": written}) == Origin(__version__, written["date"], 7)


@pytest.mark.parametrize("config", [None, [], {}, {"origin": None}, {"origin": {"pairs": 1.5, "version": 1}}])
def test_what_a_file_does_not_say_is_unknown(config):
    assert Origin.of(config) == Origin()
