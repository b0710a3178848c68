"""Take the README's pictures again: a training and the prompt, as a terminal shows them, exported to SVG by Rich.

The real commands run in a terminal of 100 columns; nothing is staged but the sentences that are typed. The training is
on the built-in corpus; the picture begins with the network, leaves out the three sample translations of every
validation, which would fill most of it, and ends with what the new model translates. The prompt needs a trained model.
Run from the top of the checkout, with the ``test`` extra installed::

    python -m tests.benchmarks.pictures train -o model.npz
    python -m tests.benchmarks.pictures prompt -m model.npz
    python -m tests.benchmarks.pictures prompt -m model.npz "Where is the station?" "I like zebras."
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pexpect
from rich.console import Console
from rich.text import Text

from tests.conftest import CHECKOUT, environment

PICTURES = CHECKOUT / ".pictures"
ROWS, COLUMNS = 40, 100
ROWS_OF_TRAINING = 26
SAMPLE = re.compile(r"\s+(?:source|reference|translation): ")
"""A row of a validation's samples."""
PROMPT = "> "
TYPED = ("Where is the station?", "i dont eat meat", "Can you help me, please?", ":explain on", "Thank you!")
"""The first three are also translated after the training."""


class Screen:
    """What a terminal would show after this output: enough of its control sequences for Rich and readline."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[tuple[str, str]]] = [[]]
        self.x = self.y = 0
        self.style = ""

    def feed(self, output: str) -> None:
        """Process text and control sequences."""
        parts = re.compile(r"\x1b\[([?0-9;]*)([@-~])|\x1b\].*?(?:\x07|\x1b\\)|\x1b[=>()].?|(.)", re.DOTALL)
        for match in parts.finditer(output):
            numbers, final, character = match.groups()
            if final:
                self._control(numbers, final)
            elif character is not None:
                self._put(character)

    def _control(self, numbers: str, final: str) -> None:
        count = int(numbers) if numbers.isdigit() else 0
        if final == "m":
            self.style = "" if numbers in ("", "0") else self.style + f"\x1b[{numbers}m"
        elif final == "A":
            self.y = max(0, self.y - max(1, count))
        elif final == "B":
            self._go_to_row(self.y + max(1, count))
        elif final == "C":
            self.x = min(self.columns - 1, self.x + max(1, count))
        elif final == "D":
            self.x = max(0, self.x - max(1, count))
        elif final == "G":
            self.x = max(0, count - 1)
        elif final == "K":
            row = self.rows[self.y]
            self.rows[self.y] = {0: row[: self.x], 1: [(" ", "")] * self.x + row[self.x :], 2: []}[count]
        elif final == "J" and count == 0:
            self.rows[self.y] = self.rows[self.y][: self.x]
            del self.rows[self.y + 1 :]

    def _put(self, character: str) -> None:
        if character == "\n":
            self._go_to_row(self.y + 1)
        elif character == "\r":
            self.x = 0
        elif character == "\t":
            self.x = min(self.columns - 1, self.x // 8 * 8 + 8)
        elif character == "\b":
            self.x = max(0, self.x - 1)
        elif character.isprintable() or character in "\u00a0\u202f":
            if self.x >= self.columns:
                self.x = 0
                self._go_to_row(self.y + 1)
            row = self.rows[self.y]
            row += [(" ", "")] * (self.x + 1 - len(row))
            row[self.x] = (character, self.style)
            self.x += 1

    def _go_to_row(self, y: int) -> None:
        self.y = y
        self.rows += [[] for _ in range(y + 1 - len(self.rows))]


def save(screen: Screen, name: str, title: str, rows: int = ROWS) -> None:
    """Write the last rows of the screen as an SVG."""
    lines = [Text.from_ansi("".join(f"{style}{c}\x1b[0m" for c, style in row)) for row in screen.rows]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    console = Console(record=True, width=screen.columns, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    for line in lines[-rows:]:
        console.print(line, no_wrap=True, overflow="ignore", highlight=False)
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.svg"
    path.write_text(console.export_svg(title=title), encoding="utf-8", newline="\n")
    print(path)


def start(*arguments: str, folder: str) -> pexpect.spawn:
    """Start the command in a terminal."""
    return pexpect.spawn(
        sys.executable,
        ["-m", "seq2seq_cli", *arguments],
        cwd=folder,
        env=environment(TERM="xterm-256color", COLORTERM="truecolor", HOME=folder),  # type: ignore[arg-type]
        dimensions=(ROWS, COLUMNS),
        encoding="utf-8",
        timeout=600,
    )


def take_training(model: Path, texts: tuple[str, ...]) -> None:
    """Run ``seq2seq train`` to its end, then translate these texts; the model is kept."""
    screen = Screen(COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        training = start("train", folder=folder)
        while training.isalive():
            screen.feed(read_some(training))
        screen.feed(read_some(training))
        for text in texts:
            screen.feed(f'$ seq2seq translate "{text}"\r\n')
            screen.feed(start("translate", text, folder=folder).read())
        shutil.copy(Path(folder) / "model.npz", model)
    screen.rows = [row for row in screen.rows if not SAMPLE.match("".join(c for c, _ in row))]
    save(screen, "train", "seq2seq train", ROWS_OF_TRAINING)


def take_prompt(model: Path, lines: tuple[str, ...]) -> None:
    """Type these lines at the prompt."""
    screen = Screen(COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(model, Path(folder) / "model.npz")  # the picture shows its name, and not where it is
        prompt = start("translate", folder=folder)
        for line in (*lines, None):
            prompt.expect(rf"(?<!</s){PROMPT}")  # an explanation shows </s>
            screen.feed(prompt.before + PROMPT)
            if line is not None:
                prompt.sendline(line)
                prompt.expect_exact(line)
                screen.feed(prompt.before + line)
        prompt.sendeof()
        prompt.expect(pexpect.EOF)
    save(screen, "prompt", "seq2seq translate")


def read_some(process: pexpect.spawn) -> str:
    """What the command has written in the meantime."""
    try:
        return process.read_nonblocking(1 << 16, timeout=0.2)
    except (pexpect.TIMEOUT, pexpect.EOF):
        time.sleep(0.05)
        return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", choices=["train", "prompt"])
    parser.add_argument("-m", "-o", "--model", type=Path, default=Path("model.npz"))
    parser.add_argument("lines", nargs="*", default=TYPED, help="what is translated")
    arguments = parser.parse_intermixed_args()
    if arguments.picture == "train":
        take_training(arguments.model, tuple(arguments.lines)[:3])
    else:
        take_prompt(arguments.model, tuple(arguments.lines))


if __name__ == "__main__":
    main()
