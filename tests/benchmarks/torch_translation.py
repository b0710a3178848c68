"""The PyTorch side of ``translation``, ``startup`` and ``memory``: greedy and beam search with a model file's weights.

The weights load by name into ``torch_twin``'s modules. What is done for speed: ``inference_mode``, one pass of the
encoder, batches packed only where they hold several sentences, the context's part of both products once per sentence,
``topk`` on the joint scores, finished sentences dropped, and the decoder's step in one of three forms:

============  ======================================================================
``module``    ``nn.LSTM`` or ``nn.GRU`` with one step, on ``[embedding; context]``
``cell``      ``torch.lstm_cell`` or ``gru_cell`` on the same
``split``     the gates by hand, with the context's part of the product from before
============  ======================================================================

The search is the program's own (``inference.search``), so both sides must find the same translations. Run as a
script, it translates one sentence from a cold start::

    python -m tests.benchmarks.torch_translation model.npz "Where is the station?"
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pack_sequence

from seq2seq_cli.config import ModelConfig, SearchConfig
from seq2seq_cli.inference.search import longest_output
from seq2seq_cli.text.tokenizer import BOS, EOS, UNKNOWN
from seq2seq_cli.text.tokenizer_file import tokenizer_from_json
from tests.torch_twin import Decoder, Encoder

STEPS = ("module", "cell", "split")


class TorchTranslator:
    """A model file in ``torch.nn`` modules.

    Args:
        path: the model, of one layer, with the context at every step or not.
        threads: of PyTorch; None leaves its default.
    """

    def __init__(self, path: str, threads: int | None = None) -> None:
        if threads:
            torch.set_num_threads(threads)
        with np.load(path) as file:
            self.config = ModelConfig(**json.loads(str(file["config"]))["model"])
            self.source, self.target = (
                tokenizer_from_json(json.loads(str(file[f"tokenizer.{side}"])), path) for side in ("source", "target")
            )
            self.encoder, self.decoder = Encoder(self.config), Decoder(self.config)
            for module, prefix in ((self.encoder, "encoder."), (self.decoder, "decoder.")):
                names = [name for name in file.files if name.startswith(prefix)]
                weights = {name.removeprefix(prefix): torch.from_numpy(file[name]) for name in names}
                module.load_state_dict(weights, strict=True)
        assert self.config.layers == 1 and not self.config.reverse_source
        self.step_form = "module"

    @torch.inference_mode()
    def translate(self, texts: Sequence[str], beam: int, batch_size: int) -> list[str]:
        """The best translation of each text, longest sources first as in the program."""
        sources = [[*self.source.encode(text), EOS] for text in texts]
        order = sorted(range(len(texts)), key=lambda k: -len(sources[k]))
        results = [""] * len(texts)
        search = self._greedy if beam == 1 else self._beam
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            for k, tokens in zip(batch, search([sources[k] for k in batch], beam)):
                results[k] = self.target.decode(tokens)
        return results

    def block(self, texts: Sequence[str], beam: int, batch_size: int, step_form: str) -> float:
        """Seconds of translating these texts."""
        self.step_form = step_form
        start = time.perf_counter()
        self.translate(texts, beam, batch_size)
        return time.perf_counter() - start

    def translations(self, texts: Sequence[str], beam: int, batch_size: int, step_form: str) -> list[str]:
        """What ``block`` translates, in one of the forms."""
        self.step_form = step_form
        return self.translate(texts, beam, batch_size)

    def _encode(self, sources: Sequence[Sequence[int]]) -> tuple[list[Tensor], Tensor]:
        """States, each (B, H), and context (B, C), of sentences sorted by length."""
        encoder, embedded = self.encoder, [self.encoder.embedding(torch.tensor(ids)) for ids in sources]
        final = encoder.rnn(embedded[0][:, None] if len(embedded) == 1 else pack_sequence(embedded))[1]
        parts = list(final) if self.config.cell == "lstm" else [final]
        if not self.config.bidirectional:
            return [part[0] for part in parts], parts[0][0]
        both = [part.transpose(0, 1).flatten(1) for part in parts]
        linears = [encoder.bridge[name][0] for name in ("hidden", "cell")[: len(both)]]
        return [torch.tanh(linear(part)) for linear, part in zip(linears, both)], both[0]

    def _constants(self, context: Tensor) -> tuple[Tensor, ...]:
        """The constants of a sentence: the context and its part of the products of gates and readout."""
        rnn, E, H = self.decoder.rnn, self.config.embedding_size, self.config.hidden_size
        gates = rnn.bias_ih_l0.expand(len(context), -1)
        if not self.decoder.every_step:
            return context[:, :0], gates, context[:, :0]
        gates = functional.linear(context, rnn.weight_ih_l0[:, E:], rnn.bias_ih_l0)
        readout = self.decoder.readout
        return context, gates, functional.linear(context, readout.weight[:, E + H :], readout.bias)

    def _step(self, tokens: Tensor, states: list[Tensor], constants: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor]]:
        """Logits (rows, V) and the next states."""
        context, gates, readout = constants
        rnn, E, H = self.decoder.rnn, self.config.embedding_size, self.config.hidden_size
        embedded = self.decoder.embedding(tokens)
        lstm = self.config.cell == "lstm"
        if self.step_form == "split":
            states = self._split_step(embedded, states, gates)
        else:
            x = torch.cat([embedded, context], dim=1) if self.decoder.every_step else embedded
            if self.step_form == "module":
                initial = tuple(part[None] for part in states) if lstm else states[0][None]
                final = rnn(x[None], initial)[1]
                states = [part[0] for part in final] if lstm else [final[0]]
            else:
                weights = rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0
                states = (
                    list(torch.lstm_cell(x, states, *weights)) if lstm else [torch.gru_cell(x, states[0], *weights)]
                )
        top = states[0]
        if self.decoder.every_step:
            weight = self.decoder.readout.weight
            top = torch.addmm(torch.addmm(readout, embedded, weight[:, :E].T), top, weight[:, E : E + H].T).tanh_()
        return self.decoder.fc_out(top), states

    def _split_step(self, embedded: Tensor, states: list[Tensor], gates: Tensor) -> list[Tensor]:
        rnn, E, H = self.decoder.rnn, self.config.embedding_size, self.config.hidden_size
        x = torch.addmm(gates, embedded, rnn.weight_ih_l0[:, :E].T)
        if self.config.cell == "lstm":
            a = torch.addmm(x, states[0], rnn.weight_hh_l0.T).add_(rnn.bias_hh_l0)
            i, f, g, o = a.chunk(4, dim=1)
            c = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(g)
            return [torch.sigmoid(o) * torch.tanh(c), c]
        h = functional.linear(states[0], rnn.weight_hh_l0, rnn.bias_hh_l0)
        r, z = torch.sigmoid(x[:, : 2 * H] + h[:, : 2 * H]).chunk(2, dim=1)
        n = torch.tanh(x[:, 2 * H :] + r * h[:, 2 * H :])
        return [torch.lerp(n, states[0], z)]

    def _limits(self, sources: Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor([longest_output(len(ids), SearchConfig()) for ids in sources])

    def _greedy(self, sources: Sequence[Sequence[int]], beam: int) -> list[list[int]]:
        states, context = self._encode(sources)
        constants = self._constants(context)
        limits, alive = self._limits(sources), torch.arange(len(sources))
        tokens = torch.full((len(sources),), BOS)
        results: list[list[int]] = [[] for _ in sources]
        for length in range(1, int(limits.max()) + 1):
            logits, states = self._step(tokens, states, constants)
            logits[:, [BOS, UNKNOWN]] = -torch.inf
            tokens = logits.argmax(dim=1)
            going = (tokens != EOS) & (limits[alive] > length)
            if not going.all():
                rows = going.nonzero()[:, 0]
                alive, tokens = alive[rows], tokens[rows]
                states, constants = [part[rows] for part in states], tuple(part[rows] for part in constants)
                if not len(rows):
                    break
            for sentence, token in zip(alive.tolist(), tokens.tolist()):
                results[sentence].append(token)
        return results

    def _beam(self, sources: Sequence[Sequence[int]], K: int) -> list[list[int]]:
        V, S = self.config.target_vocabulary, len(sources)
        states, context = self._encode(sources)
        states = [part.repeat_interleave(K, dim=0) for part in states]
        constants = tuple(part.repeat_interleave(K, dim=0) for part in self._constants(context))
        limits, alive = self._limits(sources), torch.arange(S)
        scores = torch.full((S, K), -torch.inf)
        scores[:, 0] = 0.0
        history = torch.full((S, K, 1), BOS)
        best: list[tuple[float, list[int]]] = [(-float("inf"), [])] * S
        count = torch.zeros(S, dtype=torch.int64)
        best_score = torch.full((S,), -torch.inf)
        for length in range(1, int(limits.max()) + 1):
            logits, states = self._step(history[:, :, -1].flatten(), states, constants)
            log_probs = functional.log_softmax(logits, dim=1)
            log_probs[:, [BOS, UNKNOWN]] = -torch.inf
            full = limits[alive] <= length
            if full.any():
                may_end = torch.full((V,), -torch.inf)
                may_end[EOS] = 0.0
                log_probs.view(len(alive), K, V)[full] += may_end
            totals, places = (scores[:, :, None] + log_probs.view(len(alive), K, V)).flatten(1).topk(2 * K, dim=1)
            parents, tokens = torch.div(places, V, rounding_mode="floor"), places % V
            ends = tokens == EOS
            ended = (ends[:, :K] & totals[:, :K].isfinite()).nonzero().tolist()
            for s, rank in ended:
                sentence, score = int(alive[s]), float(totals[s, rank]) / length
                count[s] += 1
                if score > best[sentence][0]:
                    best[sentence] = score, history[s, parents[s, rank], 1:].tolist()
                    best_score[s] = score
            live = ends.to(torch.int8).argsort(dim=1, stable=True)[:, :K]
            live_ends = ends.gather(1, live)
            scores = totals.gather(1, live).masked_fill(live_ends, -torch.inf)
            longest = torch.where(count >= K, length + 1, limits[alive])
            hopeless = (count > 0) & (best_score >= scores[:, 0] / longest)
            done = full | ~scores[:, 0].isfinite() | hopeless
            parents, tokens = parents.gather(1, live), tokens.gather(1, live)
            first = torch.arange(len(alive))[:, None] * K
            if done.any():
                kept = (~done).nonzero()[:, 0]
                if not len(kept):
                    break
                alive, scores, history, count, best_score, parents, tokens, first = (
                    part[kept] for part in (alive, scores, history, count, best_score, parents, tokens, first)
                )
                sentence_rows = (kept[:, None] * K + torch.arange(K)).flatten()
                constants = tuple(part[sentence_rows] for part in constants)
            rows = (first + parents).flatten()
            states = [part[rows] for part in states]
            history = torch.cat([history.gather(1, parents[:, :, None].expand(-1, -1, length)), tokens[:, :, None]], 2)
        return [tokens for _, tokens in best]


def main() -> None:
    path, text = sys.argv[1:]
    print(TorchTranslator(path).translate([text], beam=5, batch_size=64)[0])


if __name__ == "__main__":
    main()
