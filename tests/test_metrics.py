import logging

from seq2seq_cli.evaluation.metrics import collected_warnings, reference_streams
from seq2seq_cli.evaluation.scores import compare, corpus_scores

TOKENIZED = ["the cat sat on the mat ."] * 100


def test_one_reference_each_is_one_list_and_several_are_lists_already():
    assert reference_streams(["a", "b"]) == [["a", "b"]]
    assert reference_streams([["a", "b"], ["c", None]]) == [["a", "b"], ["c", None]]
    assert reference_streams([]) == [[]]


def test_the_warning_about_tokenized_text_reaches_the_caller_and_not_stderr(capfd):
    text = (
        "That's 100 lines that end in a tokenized period ('.'). It looks like you forgot to detokenize your test data, "
    )
    expected = (f"{text}which may hurt your score.",)
    assert corpus_scores(TOKENIZED, TOKENIZED).warnings == expected
    assert corpus_scores(TOKENIZED[1:], TOKENIZED[1:]).warnings == ()
    assert corpus_scores(TOKENIZED, TOKENIZED, ["chrf"]).warnings == ()
    plain = [line.replace(" .", ".") for line in TOKENIZED]
    assert [scores.warnings for scores in compare([TOKENIZED, plain], TOKENIZED, ["bleu"])] == [expected, ()]
    assert capfd.readouterr().err == ""


def test_the_logger_is_left_as_it_was():
    logger = logging.getLogger("sacrebleu")
    before = logger.propagate, list(logger.handlers), logger.level
    with collected_warnings() as found:
        logger.warning("one")
        logger.info("two")
    assert found == ["one."]
    assert (logger.propagate, logger.handlers, logger.level) == before
