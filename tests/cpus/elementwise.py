"""int8 `Add` and `Mul` of model files on every pair of input bytes and every processor: a by-hand check.

ONNX Runtime computes both in float, with or without fused multiply-add and in an order that depends on the processor.
So a result next to a half may be rounded up on one and down on another. A cine rarely contains such a pair; this check
runs all 65,536. Prints how many pairs differ from this machine, by one level each, and exits 1 if there is one.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from processors import EMULATED, NATIVE, Processors

from edgeecho.model.registry import packaged_models

WORKER = Path(__file__).with_name("pairs.py")
Scale = tuple[np.ndarray, np.ndarray]
"""Scale float32 and zero point uint8, both ()."""


def operators(path: Path) -> Iterator[tuple[str, list[Scale]]]:
    """Each element-wise operator of an int8 file that ONNX Runtime fuses: `Add` or `Mul`, scales of a, b and result."""
    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made_by = {name: node for node in graph.node for name in node.output}
    used_by = {name: node for node in graph.node for name in node.input}
    for node in graph.node:
        if node.op_type not in ("Add", "Mul"):
            continue
        after = used_by[node.output[0]]
        if after.op_type == "Relu":
            after = used_by[after.output[0]]
        around = [made_by.get(name) for name in node.input]
        if after.op_type == "QuantizeLinear" and all(n and n.op_type == "DequantizeLinear" for n in around):
            yield node.op_type, [(constants[n.input[1]], constants[n.input[2]]) for n in (*around, after)]


def write_operator(path: Path, kind: str, scales: list[Scale]) -> None:
    """Write ONNX Runtime's fused operator alone, bytes (256, 256) in and out."""
    tensors = [
        numpy_helper.from_array(np.asarray(value), f"{name}_{part}")
        for name, scale in zip("aby", scales, strict=True)
        for part, value in zip(("scale", "zero"), scale, strict=True)
    ]
    inputs = ["a", "a_scale", "a_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero"]
    node = helper.make_node(f"QLinear{kind}", inputs, ["y"], domain="com.microsoft")
    a, b, y = (helper.make_tensor_value_info(name, TensorProto.UINT8, [256, 256]) for name in "aby")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph([node], "operator", [a, b], [y], tensors)
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="as for run.py")
    parser.add_argument("--cpus", default=",".join(EMULATED), help=f"of {','.join(EMULATED)}")
    parser.add_argument("--bundle", type=Path, action="append", help="exported folder; default: the packaged models")
    options = parser.parse_args()
    out = options.cache.resolve() / "operators"
    out.mkdir(parents=True, exist_ok=True)
    labels, files = [], []
    for folder in options.bundle or packaged_models():
        for kind, scales in operators(folder / "clip.int8.onnx"):
            labels.append(f"| `{folder.resolve().name}` | {kind} |")
            files.append(out / f"{len(files)}.onnx")
            write_operator(files[-1], kind, scales)
    processors, results, names = Processors(options.cache), {}, [NATIVE, *options.cpus.split(",")]
    for name in names:
        found = out / f"{name}.npy"
        command = [*processors.command(name), str(WORKER), str(found), *map(str, files)]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"error: {name}: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")
        results[name] = np.load(found)
    differ = {name: (results[name] != results[NATIVE]).sum((1, 2)) for name in names[1:]}
    print(f"| model | operator | number of them | {' | '.join(differ)} |\n|{'---|' * (3 + len(differ))}")
    for label in dict.fromkeys(labels):
        chosen = [i for i, each in enumerate(labels) if each == label]
        print(f"{label} {len(chosen)} | {' | '.join(str(found[chosen].sum()) for found in differ.values())} |")
    total = sum(int(found.sum()) for found in differ.values())
    sys.exit(f"error: {total} pairs differ" if total else 0)


if __name__ == "__main__":
    main()
