"""Validation during training: the loss of a model, and the scores of its translations."""

from __future__ import annotations

import dataclasses

from seq2seq_cli.config import DEFAULT_BLEU_TOKENIZER, MAX_TOKENS_PER_BATCH, SearchConfig
from seq2seq_cli.evaluation.scores import corpus_scores
from seq2seq_cli.inference.communicator import ALONE, Communicator
from seq2seq_cli.inference.translator import Translator
from seq2seq_cli.nn.model import Seq2Seq
from seq2seq_cli.storage.checkpoint import Checkpoint
from seq2seq_cli.text.corpus import Corpus
from seq2seq_cli.training.batches import plan_batches
from seq2seq_cli.training.data_parallel import DataParallel
from seq2seq_cli.training.events import Score

VALIDATION_BATCH = 64


class Validation:
    """Translates validation sentences greedily and scores them.

    Args:
        checkpoint: its tokenizers and limits apply.
        valid: the validation pairs.
        threads: number of workers that translate.
        communicator: the processes of this run, which share the sentences.
    """

    def __init__(self, checkpoint: Checkpoint, valid: Corpus, threads: int, communicator: Communicator = ALONE) -> None:
        self.checkpoint, self.valid, self.threads, self.communicator = checkpoint, valid, threads, communicator

    def score(self, model: Seq2Seq, sentences: int) -> Score:
        """Translate the first ``sentences`` validation sentences with a model and score them."""
        sources, targets = self.valid.sources[:sentences], self.valid.targets[:sentences]
        training = self.checkpoint.recipe.training
        limits = {name: getattr(training, name) for name in ("max_tokens_per_batch", "max_source_length")}
        checkpoint = dataclasses.replace(self.checkpoint, model=model)
        translator = Translator([checkpoint], threads=self.threads, communicator=self.communicator)
        hypotheses = translator.translate(sources, SearchConfig(beam=1, n_best=1, **limits))
        translator.workers.shut_down()
        # Show a short, a medium and a long sentence: models learn them in this order.
        by_length = sorted(range(len(sources)), key=lambda k: (len(sources[k]), k))
        shown = dict.fromkeys(by_length[len(sources) * part // 6] for part in (1, 3, 5))
        samples = tuple((sources[k], targets[k], hypotheses[k]) for k in shown)
        all_equal = len(set(sources)) > 1 and len(set(targets)) > 1 and len(set(hypotheses)) == 1
        tokenize = training.tokenize or DEFAULT_BLEU_TOKENIZER
        scores = corpus_scores(hypotheses, targets, ["bleu", "chrf"], tokenize=tokenize)
        return Score(scores.values["bleu"], samples, all_equal, scores.values["chrf"], scores.warnings)


def validation_loss(parallel: DataParallel, max_tokens: int = MAX_TOKENS_PER_BATCH) -> float:
    """Return the mean negative log-likelihood per real target token of the validation pairs, in nats.

    It has neither dropout nor label smoothing.
    """
    loss = parallel.validation_loss(plan_batches(parallel.valid, VALIDATION_BATCH, max_tokens=max_tokens))
    return loss.negative_log_likelihood / loss.tokens
