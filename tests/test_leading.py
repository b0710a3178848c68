"""Translation and evaluation in several processes under mpirun."""

from tests.mpi import SETTINGS, mpirun

__all__ = ["mpirun"]  # a fixture


def test_processes_translate_the_lines_of_one_process(mpirun, tmp_path):
    train = mpirun(1, "train", "pairs.tsv", *SETTINGS, "--max-steps", "30", "-o", "m.npz")
    assert train.returncode == 0, train.stderr.decode()
    (tmp_path / "in.txt").write_text("".join(f"{line.split(chr(9))[0]}\n" for line in (tmp_path / "pairs.tsv").open()))
    flags = ("translate", "-m", "m.npz", "--batch-size", "4", "-i", "in.txt", "-o")
    for processes in (1, 2, 3):
        result = mpirun(processes, *flags, f"{processes}.txt")
        assert result.returncode == 0, result.stderr.decode()
    expected = (tmp_path / "1.txt").read_text()
    assert expected.count("\n") == (tmp_path / "in.txt").read_text().count("\n")
    assert (tmp_path / "2.txt").read_text() == (tmp_path / "3.txt").read_text() == expected


def test_processes_score_what_one_process_scores(mpirun, tmp_path):
    for name in ("a", "b"):
        flags = ("--max-steps", "30", "--seed", "1" if name == "a" else "2", "-o", f"{name}.npz")
        assert mpirun(1, "train", "pairs.tsv", *SETTINGS, *flags).returncode == 0
    flags = ("eval", "pairs.tsv", "-m", "a.npz", "-m", "b.npz", "--compare", "--json")
    alone, together = (mpirun(processes, *flags) for processes in (1, 3))
    assert together.returncode == 0, together.stderr.decode()
    assert together.stdout == alone.stdout


def test_an_error_of_the_leader_ends_the_followers(mpirun):
    result = mpirun(3, "translate", "-m", "missing.npz", "a text")
    assert result.returncode == 1
    assert result.stderr.count(b"error: no such file") == 1


def test_other_commands_say_that_they_share_nothing(mpirun):
    result = mpirun(2, "inspect", "m.npz")
    assert result.returncode == 2
    assert b"only train, translate, eval share their work" in result.stderr


def test_standard_input_is_refused_because_mpirun_may_never_pass_it_on(mpirun):
    for command in (("translate", "-m", "m.npz"), ("train", "-"), ("eval", "-", "-m", "m.npz")):
        result = mpirun(2, *command)
        assert result.returncode == 2
        assert result.stderr.count(b"mpirun does not pass its standard input on") == 1
