"""Translate many sentences, with a progress bar on a terminal and one line elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.translations import report_truncated
from seq2seq_cli.config import SearchConfig
from seq2seq_cli.inference.translation import Translation, join_n_best

if TYPE_CHECKING:
    from seq2seq_cli.inference.translator import Translator


def translate_all(translator: Translator, texts: list[str], config: SearchConfig, name: str) -> list[str]:
    """Return the best translation of each text.

    Args:
        translator: the loaded models.
        texts: lines of text; each is one sentence, unless ``split_sentences`` is set.
        config: settings of the search.
        name: of the models.
    """
    translator.workers.start()  # before the progress bar starts a thread
    lines = [translator.sentences(text) if config.split_sentences else [text] for text in texts]
    sources = [translator.read(sentence, config) for sentences in lines for sentence in sentences]
    found: list[list[Translation]] = [[]] * len(sources)
    how = "by sampling" if config.sample else f"beam {config.beam}"
    with _progress(len(sources), name, how) as progress:
        for batch in translator.translate_batches(sources, config):
            for k, n_best in batch:
                found[k] = n_best
            progress(len(batch))
    of_line = iter(zip(sources, found))
    outputs, truncated = [], []
    for number, sentences in enumerate(lines, start=1):
        translated = list(islice(of_line, len(sentences)))
        outputs.append(join_n_best([n_best for _, n_best in translated], 1)[0].text)
        truncated += [number] * any(source.truncated for source, _ in translated)
    report_truncated(truncated, config)
    return outputs


@contextmanager
def _progress(sentences: int, name: str, how: str) -> Iterator[Callable[[int], object]]:
    """Show the progress of translation: a bar on a terminal, one line elsewhere."""
    what = f"translating {sentences:,} sentences with {name}, {how}"
    if not console.stderr_is_live():
        console.say(f"{what} …")
        yield lambda done: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console.stderr_console(), transient=True) as shown:
        task = shown.add_task(f"translating with {console.printable(name)}", total=sentences)
        yield lambda done: shown.advance(task, done)
    console.say(what)
