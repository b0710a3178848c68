"""Rebuild ``peephole_lstm.npz``: an LSTM with peepholes, computed by ONNX Runtime from ONNX's definition.

Run from the top of the checkout, with ``onnx`` and ``onnxruntime`` installed::

    python -m tests.reference.make_peephole_reference

The arrays are stored in ONNX's own layout: the gates in ``W``, ``R`` and ``B`` in the order ``i, o, f, c``, the
peepholes in ``P`` in the order ``i, o, f``. ``initial_h``, ``initial_c`` and ``P`` are not zero, and the sentences have
unequal lengths.

Source: the operator LSTM of ONNX, https://onnx.ai/onnx/operators/onnx__LSTM.html.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from tests.reference import PEEPHOLE_PATH

T, E, H = 5, 3, 4
LENGTHS = [5, 3, 1]
B = len(LENGTHS)


def inputs() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(8)
    shapes = {"X": (T, B, E), "W": (1, 4 * H, E), "R": (1, 4 * H, H), "B": (1, 8 * H)}
    shapes |= {"initial_h": (1, B, H), "initial_c": (1, B, H), "P": (1, 3 * H)}
    arrays = {name: generator.uniform(-0.9, 0.9, shape).astype(np.float32) for name, shape in shapes.items()}
    return {**arrays, "sequence_lens": np.array(LENGTHS, np.int32)}


def onnx_lstm(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run the operator on these inputs; return its outputs ``Y`` (T, 1, B, H), ``Y_h`` and ``Y_c`` (1, B, H)."""
    order = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
    node = helper.make_node("LSTM", order, ["Y", "Y_h", "Y_c"], hidden_size=H)
    shapes = {"Y": (T, 1, B, H), "Y_h": (1, B, H), "Y_c": (1, B, H)}
    types = {name: TensorProto.INT32 if name == "sequence_lens" else TensorProto.FLOAT for name in order}
    graph = helper.make_graph(
        [node],
        "peephole",
        [helper.make_tensor_value_info(name, types[name], arrays[name].shape) for name in order],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(node.output, session.run(None, arrays)))


if __name__ == "__main__":
    given = inputs()
    np.savez_compressed(PEEPHOLE_PATH, **given, **onnx_lstm(given))
    print(f"{PEEPHOLE_PATH.name}: {PEEPHOLE_PATH.stat().st_size} bytes, onnxruntime {onnxruntime.__version__}")
