"""The exercises of ``seq2seq_cli/nn/README.md``, run to the letter: each shows what the text says it shows."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT, environment, run_cli

GUIDE = (CHECKOUT / "seq2seq_cli" / "nn" / "README.md").read_text(encoding="utf-8")
SECTION = GUIDE.partition("\n## Exercises\n")[2].partition("\n## ")[0]
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Such small matrices are slower with several."""


def commands(number: int) -> list[list[str]]:
    """The commands of one exercise; 0 is the preparation."""
    part = re.split(r"\n### \d\. ", SECTION)[number]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]
    assert lines
    return [shlex.split(line) for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the exercises are done: the corpus is there, and the models of the exercises before."""
    folder = tmp_path_factory.mktemp("exercises")
    shutil.copytree(CHECKOUT / "data", folder / "data", ignore=shutil.ignore_patterns("en-fr"))
    for program, *arguments in commands(0):
        assert program == "python"
        subprocess.run([sys.executable, *arguments], cwd=folder, env=environment(), check=True, capture_output=True)
    return folder


def run(folder, number: int) -> list[dict]:
    """Run an exercise; of its evaluations, in order, return the scores."""
    scores = []
    for program, command, *arguments in commands(number):
        assert program == "seq2seq"
        extra = ["--json"] if command == "eval" else []
        made = arguments[arguments.index("-o") + 1] if command == "train" else ""
        if made and (folder / made).exists():  # by an exercise before, to the same words
            continue
        result = run_cli(command, *arguments, *extra, cwd=folder, **ONE_THREAD)
        assert result.returncode == 0, result.stderr.decode()
        if command == "eval":
            scores.append(json.loads(result.stdout))
    return scores


def train(folder, number: int, name: str) -> None:
    """Train one model of an exercise, for one that builds on it."""
    for _, command, *arguments in commands(number):
        if command == "train" and name in arguments and not (folder / name).exists():
            assert run_cli(command, *arguments, cwd=folder, **ONE_THREAD).returncode == 0


def by_length(scores: dict) -> list[float]:
    return [bucket["bleu"] for bucket in scores["by_length"]]


def test_reversing_the_source_helps(folder):
    forward, backward = run(folder, 1)
    assert backward["bleu"] > forward["bleu"] + 2


def test_gates_carry_more_on_long_sentences_and_all_cells_lose_with_length(folder):
    train(folder, 1, "forward.npz")
    rnn, gru, lstm = map(by_length, run(folder, 2))
    for gated in (gru, lstm):
        assert all(a > b + 10 for a, b in zip(gated, rnn))
    for cell in (rnn, gru, lstm):
        assert cell == sorted(cell, reverse=True)
        assert cell[-1] < cell[0] / 2


def test_context_at_every_step_helps(folder):
    train(folder, 2, "gru.npz")
    first, every = run(folder, 3)
    assert every["bleu"] > first["bleu"] + 2


def test_beam_finds_better_translations_than_greedy_search_and_a_wide_one_hardly_more(folder):
    train(folder, 3, "every-step.npz")
    greedy, five, twenty = (scores["bleu"] for scores in run(folder, 4))
    assert five > greedy + 0.5
    assert abs(twenty - five) < five - greedy
    means = [mean_score(folder, "every-step.npz", beam) for beam in (1, 5, 20)]
    assert means[1] - means[0] > 3 * abs(means[2] - means[1])


def test_loss_of_teacher_forcing_promises_more_than_free_running_output_holds(folder):
    train(folder, 1, "forward.npz")
    young_free, old_free = (scores["bleu"] for scores in run(folder, 5))
    young, old = (
        json.loads(run_cli("inspect", name, "--json", cwd=folder).stdout)["history"][-1]
        for name in ("young.npz", "forward.npz")
    )
    guessing = math.log(13)
    loss_done = (guessing - young["valid_loss"]) / (guessing - old["valid_loss"])
    assert loss_done > 0.5
    assert young_free / old_free < loss_done - 0.15
    # The model gives its own translations a higher probability than the references.
    assert mean_score(folder, "young.npz", 1) > -young["valid_loss"] + 0.1


def mean_score(folder, model: str, beam: int) -> float:
    """Mean log-probability per token of the translations of the test sentences."""
    sources = [line.split("\t")[0] for line in (folder / "digits-test.tsv").read_text().splitlines()][::3]
    arguments = ("translate", "-m", model, "--beam", str(beam), "--scores")
    result = run_cli(*arguments, cwd=folder, stdin="\n".join(sources).encode(), **ONE_THREAD)
    scores = [float(line.split("\t")[0]) for line in result.stdout.decode().splitlines()]
    assert len(scores) == len(sources)
    return sum(scores) / len(scores)
