"""``seq2seq eval``: sacreBLEU scores of a model, of several systems side by side, or of any translations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2seq_cli.cli.flags import completion, with_flags
from seq2seq_cli.cli.processes import shared
from seq2seq_cli.cli.search_flags import (
    DEFAULT_MODEL,
    SHOWN,
    Models,
    Swap,
    Threads,
    load_reverse_model,
    load_translator,
    search_config,
)
from seq2seq_cli.cli.terminal import console
from seq2seq_cli.cli.terminal.scores import say_remarks, score_lines
from seq2seq_cli.cli.terminal.translating import translate_all
from seq2seq_cli.config import BLEU_TOKENIZERS, SearchConfig
from seq2seq_cli.errors import usage_error
from seq2seq_cli.evaluation.evaluation import Evaluation, System, is_swapped, read_builtin_sets
from seq2seq_cli.evaluation.metrics import METRICS
from seq2seq_cli.evaluation.references import read_references
from seq2seq_cli.evaluation.scores import parse_metrics
from seq2seq_cli.evaluation.tokenization import check_tokenizer, tokenizer_for
from seq2seq_cli.text.builtin import BUILTIN, SWAPPED

if TYPE_CHECKING:
    from seq2seq_cli.text.corpus import Corpus

_DEFAULTS = SearchConfig()
_IF_CHANGED = (
    "normalization",
    "no_repeat_ngram",
    "max_length",
    "max_source_length",
    "allow_unknown",
    "copy_unknown",
    "split_sentences",
)
"""Settings that the report names if they are not the default."""
_SCORES, _WITHOUT_MODEL = "Scores", "Without a model"


@with_flags(SearchConfig, leave_out=("n_best",))
@shared
def evaluate_command(
    corpus: Annotated[
        str | None,
        typer.Argument(
            metavar="CORPUS", help="Test corpus, named as for 'train'.", show_default="the built-in test sets"
        ),
    ] = None,
    model: Models = None,
    output_file: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the translations (- for stdout).", rich_help_panel="Files"
        ),
    ] = None,
    threads: Threads = None,
    swap: Swap = None,
    metrics: Annotated[
        str,
        typer.Option(
            "--metrics",
            metavar="LIST",
            help=f"Metrics, separated by commas: {','.join(METRICS)}.",
            rich_help_panel=_SCORES,
            autocompletion=completion(METRICS, ","),
        ),
    ] = "bleu,chrf",
    tokenize: Annotated[
        str | None,
        typer.Option(
            "--tokenize",
            metavar="NAME",
            help=f"sacreBLEU's tokenizer for BLEU (sacrebleu -tok): {', '.join(BLEU_TOKENIZERS)}.",
            show_default="the model's, or by the script of the references",
            rich_help_panel=_SCORES,
            autocompletion=lambda: list(BLEU_TOKENIZERS),
        ),
    ] = None,
    lowercase: Annotated[
        bool,
        typer.Option("--lowercase", help="Ignore case (sacrebleu -lc); TER always does.", rich_help_panel=_SCORES),
    ] = False,
    confidence: Annotated[
        bool,
        typer.Option(
            "--confidence", help="Also estimate 95% confidence intervals (bootstrap).", rich_help_panel=_SCORES
        ),
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Score each --model and --hypotheses, and test whether it differs from the first.",
            rich_help_panel=_SCORES,
        ),
    ] = False,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines",
            help="Also score a copy of the source, the translation of the nearest training sentence, and word by word.",
            rich_help_panel=_SCORES,
        ),
    ] = False,
    train_corpus: Annotated[
        str | None,
        typer.Option(
            "--train-corpus",
            metavar="CORPUS",
            help="Training pairs for --baselines.",
            show_default="the built-in corpus, for a model trained on it",
            rich_help_panel=_SCORES,
        ),
    ] = None,
    by_length: Annotated[
        bool, typer.Option("--by-length", help="Also show BLEU by source length.", rich_help_panel=SHOWN)
    ] = False,
    examples: Annotated[
        int,
        typer.Option(
            "--examples", metavar="N", help="Also show the N best and the N worst sentences.", rich_help_panel=SHOWN
        ),
    ] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, scores at full precision.", rich_help_panel=SHOWN)
    ] = False,
    hypotheses: Annotated[
        list[str] | None,
        typer.Option(
            "--hypotheses",
            metavar="FILE",
            help="Score the lines of this file; no model is needed.",
            rich_help_panel=_WITHOUT_MODEL,
        ),
    ] = None,
    references: Annotated[
        list[str] | None,
        typer.Option(
            "--references",
            metavar="FILE",
            help="References for --hypotheses, instead of CORPUS, or besides it; several files are several references.",
            rich_help_panel=_WITHOUT_MODEL,
        ),
    ] = None,
    all_references: Annotated[
        bool,
        typer.Option(
            "--all-references",
            help="Every further column of CORPUS is a reference, too (others are ignored without this flag).",
            rich_help_panel=_SCORES,
        ),
    ] = False,
    quiet: console.Quiet = False,
    debug: console.Debug = False,
    **search: Any,
) -> None:
    """Score a model on a test corpus, with sacreBLEU's signatures.

    Without arguments it scores model.npz on the built-in test sets: whole, everyday and long.
    Several models are scored as one ensemble, or side by side with --compare.

    Examples:
    seq2seq eval --by-length --baselines
    seq2seq eval test.de,test.en -m de-en.npz --confidence --examples 5
    seq2seq eval test.tsv -m lstm.npz -m gru.npz --compare
    seq2seq eval --hypotheses output.txt --references test.en --json
    seq2seq eval --hypotheses output.txt --references a.zh --references b.zh --tokenize zh
    """
    config = search_config(**search)
    names = parse_metrics(metrics)
    files, reference_files = hypotheses or [], references or []
    _check(corpus, model, files, reference_files, compare, output_file, train_corpus, examples)
    if corpus is None and reference_files and (by_length or baselines):
        flag = "--by-length" if by_length else "--baselines"
        raise usage_error(f"{flag} needs the source sentences", where=flag, fix="name a CORPUS as well")
    if corpus is None and all_references:
        raise usage_error("--all-references needs a CORPUS", where="--all-references", fix="name a CORPUS with columns")
    if tokenize is not None:
        check_tokenizer(tokenize)
    if output_file is not None:
        console.check_output(output_file)
    groups = _groups(model, files, compare)
    translators = [load_translator(group, threads) for group in groups]
    for translator in translators:
        load_reverse_model(translator, config)
    trained_on = [name for translator in translators for name in translator.corpora]
    swap = is_swapped(trained_on) if swap is None else swap
    test = read_references(
        corpus, reference_files, trained_on, swap, all_references=all_references, keep_empty=bool(files)
    )
    console.warn_of_skipped(test.name, test.skipped)
    sources = test.sources
    stored = [name for translator in translators for name in translator.bleu_tokenizers]
    tokenizer = tokenizer_for(tokenize, stored, test.references[0])
    if tokenizer.reason and "bleu" in names:
        console.say(f"note: {tokenizer.reason}", indent=2)
    sets = {} if compare or corpus is not None or reference_files else read_builtin_sets(swap)
    # The sets share sentences; each sentence is translated once.
    further = list(dict.fromkeys(text for part in sets.values() for text in part.sources if text not in sources))
    systems = []
    for group, translator in zip(groups, translators):
        name = ", ".join(map(str, group or [DEFAULT_MODEL]))
        outputs = translate_all(translator, sources + further, config, name)
        systems.append(System(name, outputs[: len(sources)]))
    systems += [System(path, list(console.read_input(path))) for path in files]
    settings: dict[str, Any] = {"hypotheses": files[0] if len(files) == 1 else files} if files else {}
    if groups:
        models = [str(path) for group in groups for path in group or [DEFAULT_MODEL]]
        settings |= {"models": models, "beam": config.beam, "length_penalty": config.length_penalty}
        if any(translator.reranks(config) for translator in translators):
            settings["reverse_weight"] = config.reverse_weight
        if config.rerank is not None:
            settings |= {"rerank": config.rerank, "rerank_weight": config.rerank_weight}
        if config.sample:
            del settings["beam"]
            settings |= {"sample": True, "temperature": config.temperature, "seed": config.seed}
        for name in _IF_CHANGED:
            if (value := getattr(config, name)) != getattr(_DEFAULTS, name):
                settings[name] = value
    report = Evaluation(test.name, sources, test.references, systems, settings, names, lowercase, tokenizer.name)
    if compare:
        console.say(f"testing {len(systems)} systems against the first …")
        report.compare()
    else:
        report.score(confidence)
        if sets:
            report.add_sets(sets, dict(zip(sources + further, outputs)), confidence)
    if baselines:
        report.add_baselines(_baselines(sources, train_corpus, trained_on, swap))
    if by_length:
        report.add_lengths()
    if examples:
        report.add_examples(examples)
    say_remarks(report)
    if output_file is not None:
        _write_outputs(output_file, systems[0].outputs)
    console.write_results([json.dumps(report.to_json(), ensure_ascii=False)] if as_json else score_lines(report))


def _check(
    corpus: str | None,
    model: list[Path] | None,
    hypotheses: list[str],
    references: list[str],
    compare: bool,
    output_file: str | None,
    train_corpus: str | None,
    examples: int,
) -> None:
    """Raise for invalid combinations of flags."""
    if references and corpus is None and (not hypotheses or model):
        raise usage_error(
            "--references without a CORPUS is only for --hypotheses without --model",
            where="--references",
            fix="name a CORPUS as well: its targets and --references are then references",
        )
    if hypotheses and model and not compare:
        raise usage_error(
            "give --model or --hypotheses, not both", where="--model", fix="leave one of them out, or add --compare"
        )
    if hypotheses and corpus is None and not references:
        raise usage_error(
            "--hypotheses needs either a CORPUS or --references",
            where="--hypotheses",
            fix="name one of them: a CORPUS, or --references FILE",
        )
    if len(hypotheses) > 1 and not compare:
        raise usage_error("several --hypotheses can only be compared", where="--hypotheses", fix="add --compare")
    if compare and len(hypotheses) + len(model or []) < 2:
        raise usage_error(
            "--compare needs two or more systems", where="--compare", fix="repeat --model or --hypotheses"
        )
    if output_file is not None and (hypotheses or compare):
        raise usage_error(
            "--output writes the translations of one model or ensemble",
            where="--output",
            fix="leave out --compare or --hypotheses" if model else "leave it out",
        )
    if examples < 0:
        raise usage_error("--examples cannot be negative", where="--examples", fix="write for example --examples 5")
    console.check_inputs(corpus, *hypotheses, *references, train_corpus)


def _groups(model: list[Path] | None, hypotheses: list[str], compare: bool) -> list[list[Path] | None]:
    """Return the model files of each system: one model each with ``--compare``, else all as one ensemble."""
    if compare:
        return [[path] for path in model or []]
    return [] if hypotheses else [model]


def read_and_warn(name: str) -> Corpus:
    """Read a corpus, and warn of pairs that are left out because a side is empty."""
    from seq2seq_cli.text.corpus import read_corpus

    corpus = read_corpus(name)
    console.warn_of_skipped(name, corpus.skipped)
    return corpus


def _baselines(sources: list[str], train_corpus: str | None, trained_on: list[str], swap: bool) -> list[System]:
    """Return the translations of the baselines."""
    from seq2seq_cli.evaluation.baselines import nearest_translations, word_by_word_translations
    from seq2seq_cli.text.builtin import builtin_corpus

    systems = [System("copy of the source", sources)]
    if train_corpus is None and trained_on and all(name.removesuffix(SWAPPED) == BUILTIN for name in trained_on):
        train_corpus = builtin_corpus("train")
    if train_corpus is None:
        known = f" (the model was trained on {trained_on[0]})" if trained_on else ""
        console.say(f"note: the other baselines need the training pairs: --train-corpus CORPUS{known}", indent=2)
    else:
        train = read_and_warn(train_corpus)
        train = train.swapped() if swap else train
        systems.append(System("nearest training sentence", nearest_translations(train, sources)))
        systems.append(System("word by word (IBM model 1)", word_by_word_translations(train, sources)))
    return systems


def _write_outputs(path: str, outputs: list[str]) -> None:
    """Write the translations, one per line."""
    with console.output_to(path) as stream:
        for line in outputs:
            console.write_line(stream, line)
