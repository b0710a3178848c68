import importlib.util

import numpy as np
import pytest

for package in ("onnx", "onnxruntime"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)


def test_a_graph_of_a_few_nodes_runs_for_any_batch_and_carries_its_metadata():
    import onnxruntime

    from seq2seq_cli.storage.onnx_graph import Graph

    graph = Graph("sums")
    x = graph.input("x", "float", "batch", 2)
    left, right = graph.nodes("Split", 2, x, axis=1, num_outputs=2)
    three = graph.constant(np.float32([3.0]))
    total = graph.node("Add", graph.node("Mul", left, three), right)
    graph.output(graph.cast(total, "int64"), "total", "int64", "batch", 1)
    session = onnxruntime.InferenceSession(graph.build({"note": {"é": 1}}))
    for rows in ([[1, 2]], [[1, 2], [3, 4]]):
        (found,) = session.run(None, {"x": np.float32(rows)})
        assert found.tolist() == [[3 * a + b] for a, b in rows]
    assert session.get_modelmeta().custom_metadata_map == {"note": '{"é": 1}'}


def test_equal_constants_are_stored_once_and_arrays_under_their_names():
    from seq2seq_cli.storage.onnx_graph import Graph

    graph = Graph("constants")
    assert graph.constant(np.int64([1, 2])) == graph.constant(np.int64([1, 2]))
    assert graph.constant(np.int64([1, 2])) != graph.constant(np.int64([[1, 2]])) != graph.constant(np.int32([1, 2]))
    assert graph.constant(np.zeros(2, np.float32), "weight") == "weight"
    assert graph.size == 16 + 16 + 8 + 8
