"""Rebuild ``torch_reference.npz``: inputs and PyTorch's own results, float64, for the parity tests.

Run from the top of the checkout, with ``torch==2.13.0`` installed::

    python -m tests.reference.make_reference
"""

from __future__ import annotations

import numpy as np
import torch

from seq2seq_cli.nn.gradcheck import random_model
from tests.models import config_id, every_config, random_batch
from tests.reference import CLIP_NORM, LABEL_SMOOTHING, PATH
from tests.torch_twin import MODULES, Twin


def models() -> dict[str, np.ndarray]:
    """Parameters, logits, loss and all gradients of every configuration, flat in the parameters' order."""
    arrays = {}
    batch = random_batch()
    for config in every_config():
        model = random_model(config)
        logits, loss, gradients = Twin(config, model.parameters).logits_loss_gradients(batch, LABEL_SMOOTHING)
        key = config_id(config)
        arrays[f"{key}/parameters"] = model.parameters.flat
        arrays[f"{key}/logits"] = logits
        arrays[f"{key}/loss"] = np.array(loss)
        arrays[f"{key}/gradients"] = np.concatenate([gradients[name].ravel() for name in model.parameters])
    for name in ("source", "target_inputs", "target_outputs", "source_rows"):
        arrays[f"batch/{name}"] = getattr(batch, name)
    arrays["batch/source_lengths"] = np.array(batch.source_packing.lengths)
    arrays["batch/target_lengths"] = np.array(batch.target_packing.lengths)
    return arrays


def cells() -> dict[str, np.ndarray]:
    """One step of each cell: inputs, weights, next state, and the gradients of a random weighting of that state."""
    arrays = {}
    generator = np.random.default_rng(3)
    B, E, H = 3, 4, 5
    for name, module in MODULES.items():
        rnn = module(E, H).double()
        weights = {}
        for key, parameter in rnn.named_parameters():
            parameter.data = torch.tensor(generator.uniform(-0.8, 0.8, parameter.shape))
            weights[key] = parameter
        x = torch.tensor(generator.standard_normal((1, B, E)), requires_grad=True)
        parts = 2 if name == "lstm" else 1
        state = [torch.tensor(generator.standard_normal((1, B, H)), requires_grad=True) for _ in range(parts)]
        _, final = rnn(x, tuple(state) if parts == 2 else state[0])
        final = list(final) if parts == 2 else [final]
        d_final = [torch.tensor(generator.standard_normal((1, B, H))) for _ in range(parts)]
        sum((part * d).sum() for part, d in zip(final, d_final)).backward()
        results = {"x": x.detach()[0], "d_x": x.grad[0]}
        for k in range(parts):
            results |= {f"state{k}": state[k].detach()[0], f"d_state{k}": state[k].grad[0]}
            results |= {f"final{k}": final[k].detach()[0], f"d_final{k}": d_final[k][0]}
        for key, parameter in weights.items():
            results |= {key: parameter.detach(), f"d_{key}": parameter.grad}
        arrays |= {f"cell/{name}/{key}": value.numpy() for key, value in results.items()}
    return arrays


def optimizers() -> dict[str, np.ndarray]:
    """Ten steps of Adam and of SGD on given gradients, clipped: the parameters after each."""
    generator = np.random.default_rng(4)
    start = generator.standard_normal(50)
    gradients = generator.standard_normal((10, 50)) * generator.uniform(0.001, 1, (10, 1))
    arrays = {"optimizer/start": start, "optimizer/gradients": gradients}
    kinds = {"adam": (torch.optim.Adam, 0.01), "sgd": (torch.optim.SGD, 0.1)}
    for name, (kind, learning_rate) in kinds.items():
        parameter = torch.tensor(start.copy(), requires_grad=True)
        optimizer = kind([parameter], lr=learning_rate)
        path, norms = [], []
        for gradient in gradients:
            parameter.grad = torch.tensor(gradient)
            norms.append(float(nn_clip(parameter)))
            optimizer.step()
            path.append(parameter.detach().numpy().copy())
        arrays[f"optimizer/{name}"] = np.array(path)
        arrays["optimizer/norms"] = np.array(norms)
    return arrays


def nn_clip(parameter: torch.Tensor) -> torch.Tensor:
    return torch.nn.utils.clip_grad_norm_([parameter], CLIP_NORM)


if __name__ == "__main__":
    np.savez_compressed(PATH, **models(), **cells(), **optimizers())
    print(f"{PATH.name}: {PATH.stat().st_size} bytes, torch {torch.__version__}")
