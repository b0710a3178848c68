"""A small builder of ONNX graphs: each call adds a node, and values are known by their names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 8
"""ONNX 1.13, of 2022: the first one whose ScatterND can take a maximum, and that onnxruntime 1.14 and later can run."""
TYPES = {"float": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}


class Graph:
    """A graph under construction.

    Args:
        name: name of the graph.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[Any] = []
        self._constants: dict[Any, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, kind: str, *shape: int | str) -> str:
        """Declare an input of the graph; a dimension is a number, or a name if it may vary."""
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))
        return name

    def output(self, value: str, name: str, kind: str, *shape: int | str) -> None:
        """Declare a value as an output of the graph under this name."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))

    def constant(self, value: Any, name: str = "") -> str:
        """Return a constant: an array with its own name, or numbers, of which equal ones are stored once."""
        array = np.asarray(value)
        key = name or (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, name or f"constant_{len(self._constants)}")
        constant_name: str = self._constants[key].name
        return constant_name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output and return the output; an empty name stands for an input that is left out."""
        (output,) = self.nodes(kind, 1, *inputs, **attributes)
        return output

    def nodes(self, kind: str, outputs: int, *inputs: str, **attributes: Any) -> Sequence[str]:
        """Add a node of several outputs and return them."""
        names = [f"{kind}_{len(self._nodes)}.{k}" for k in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def cast(self, value: str, kind: str) -> str:
        """Return a value as another type."""
        return self.node("Cast", value, to=TYPES[kind])

    @property
    def size(self) -> int:
        """Return the bytes of all constants."""
        return sum(len(constant.raw_data) for constant in self._constants.values())

    def build(self, metadata: Mapping[str, Any]) -> bytes:
        """Return the file of the finished graph, with metadata as JSON texts, checked by ``onnx``."""
        graph = helper.make_graph(
            self._nodes, self.name, self._inputs, self._outputs, initializer=list(self._constants.values())
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="seq2seq-cli")
        helper.set_model_props(model, {key: json.dumps(value, ensure_ascii=False) for key, value in metadata.items()})
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content
