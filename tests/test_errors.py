import pytest

from seq2seq_cli.errors import UserError, choice_error, explain_os_errors, usage_error


def test_an_error_has_up_to_three_lines():
    assert str(UserError("what")) == "error: what"
    assert str(UserError("what", where="here", fix="so")) == "error: what\nwhere: here\nfix:   so"


def test_wrong_usage_has_code_two_and_everything_else_one():
    assert UserError("what").exit_code == 1
    assert usage_error("what", where="--flag").exit_code == 2


def test_a_wrong_choice_is_wrong_usage_and_lists_the_choices():
    error = choice_error("--cell", "elman", {"rnn": 1, "gru": 2})
    assert error.what == "--cell must be one of rnn, gru, not 'elman'"
    assert (error.where, error.fix, error.exit_code) == ("--cell", "choose from rnn, gru", 2)


@pytest.mark.parametrize(
    ("raised", "doing", "what"),
    [
        (FileNotFoundError(), "read", "no such file"),
        (FileNotFoundError(), "write", "no such folder"),
        (IsADirectoryError(), "read", "folder, not a file"),
        (NotADirectoryError(), "read", "a part of this path"),
        (PermissionError(), "write", "no permission to write"),
        (OSError(28, "No space left on device"), "write", "No space left"),
        (ValueError("embedded null byte"), "read", "not a valid path"),
    ],
)
def test_refusals_of_the_operating_system_name_the_file(raised, doing, what):
    with pytest.raises(UserError, match=what) as caught, explain_os_errors("f", doing):
        raise raised
    assert "f" in caught.value.where
    assert caught.value.fix


def test_other_errors_pass():
    with pytest.raises(ValueError, match="other"), explain_os_errors("f", "read"):
        raise ValueError("other")
