from data.digits import ENGLISH, FRENCH, LONGEST, SHORTEST, main, pairs


def test_every_pair_says_the_same_digits_in_both_languages_and_every_length_occurs():
    lengths = set()
    for line in pairs(60, seed=5):
        source, target = (side.split() for side in line.split("\t"))
        assert [ENGLISH.index(word) for word in source] == [FRENCH.index(word) for word in target]
        lengths.add(len(source))
    assert lengths == set(range(SHORTEST, LONGEST + 1))


def test_three_different_files_are_written_the_same_every_time(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main()
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    main()
    assert first == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(first) == ["digits-test.tsv", "digits-valid.tsv", "digits.tsv"]
    long = {name: {line for line in text.splitlines() if line.count(b" ") > 8} for name, text in first.items()}
    assert not long["digits-test.tsv"] & long["digits.tsv"]
    assert "digits.tsv: 6000 pairs" in capsys.readouterr().out
