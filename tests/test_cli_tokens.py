from seq2seq_cli.cli.terminal.tokens import read_token, show_token


def test_tokens_are_shown_with_their_spaces():
    for token in (" the", "the", " ", " ▁", "\\", "▁\\ "):
        assert read_token(show_token(token)) == token
        assert " " not in show_token(token)
    assert show_token(" the") == "▁the"
