"""Several networks in one model, trained side by side: an ensemble that is one file and one training.

Networks of one shape that start from different random weights and see different dropout masks make different mistakes;
the mean of their distributions makes fewer (Sutskever et al. 2014, section 3.6: five networks gain 4 BLEU over one).
Each keeps its own parameters in one part of the flat vector, so the optimizer, the workers and the files need no
change; every step is taken on the same batch::

    ∂loss/∂θ_m = ∂loss_m/∂θ_m        loss = 1/M Σ_m loss_m

For translating, ``members`` are what ``inference/ensemble.py`` averages.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seq2seq_cli.config import ModelConfig
from seq2seq_cli.nn.model import NO_TABLES, Batch, Seq2Seq, Tables
from seq2seq_cli.nn.output_layer import Loss
from seq2seq_cli.nn.parameters import Parameters, initialize


class EnsembleModel(Seq2Seq):
    """Networks of one shape, each with its own parameters; methods for a single network use the first one.

    Args:
        config: their shape, with ``members`` above 1.
        parameters: of all, one network after the other (see ``Parameters.scope``).
        tables: those of the priors, which they share.
    """

    def __init__(self, config: ModelConfig, parameters: Parameters, tables: Tables = NO_TABLES) -> None:
        super().__init__(config, parameters.scope(0), tables)
        self.networks = [Seq2Seq(config, parameters.scope(member)) for member in range(config.members)]
        self.parameters = parameters

    @property
    def members(self) -> list[Seq2Seq]:
        """The networks."""
        for network in self.networks:
            network.tables = self.tables
        return self.networks

    def loss(self, batch: Batch, label_smoothing: float = 0.0, leave_one_out: bool = False) -> Loss:
        """Return the mean of the networks' losses, as ``Seq2Seq.loss``."""
        return _mean([network.loss(batch, label_smoothing, leave_one_out) for network in self.members])

    def loss_and_gradients(
        self,
        batch: Batch,
        gradients: Parameters,
        *,
        tokens: int | None = None,
        label_smoothing: float = 0.0,
        generator: np.random.Generator | None = None,
    ) -> Loss:
        """Return the mean of the networks' losses and write the gradients of each network.

        Arguments as for ``Seq2Seq.loss_and_gradients``; every network draws its dropout masks from a stream of its own.
        """
        streams = member_streams(generator, len(self.members))
        return _mean(
            [
                network.loss_and_gradients(
                    batch, gradients.scope(member), tokens=tokens, label_smoothing=label_smoothing, generator=stream
                )
                for member, (network, stream) in enumerate(zip(self.members, streams))
            ]
        )


def member_streams(generator: np.random.Generator | None, members: int) -> list[np.random.Generator | None]:
    """Return each network's generator of dropout masks, all independent; a single network uses the given one."""
    if generator is None or members == 1:
        return [generator] * members
    return [np.random.default_rng(seed) for seed in generator.integers(1 << 63, size=members)]


def _mean(losses: list[Loss]) -> Loss:
    count = len(losses)
    return Loss(
        sum(each.loss for each in losses) / count,
        sum(each.negative_log_likelihood for each in losses) / count,
        losses[0].tokens,
    )


def build_model(config: ModelConfig, parameters: Parameters, tables: Tables = NO_TABLES) -> Seq2Seq:
    """Return the model of these parameters, with its tables if any: one network, or an ensemble of several."""
    return (EnsembleModel if config.members > 1 else Seq2Seq)(config, parameters, tables)


def create_model(config: ModelConfig, generator: np.random.Generator, dtype: npt.DTypeLike = np.float32) -> Seq2Seq:
    """Return a new model with random parameters (see ``parameters.initialize``)."""
    return build_model(config, initialize(config, generator, dtype))
