/** Sessions of onnxruntime-web, on one thread, which the C engine of web/native/onnxruntime_web.c opens and runs. */

import * as ort from "onnxruntime-web/wasm";

/** An input of a graph with the output that takes its place in the next run; that of the first is the result. */
interface Tensor {
  input: string;
  output: string;
  type: "uint8" | "float32";
  shape: number[];
}

interface Opened {
  session: ort.InferenceSession;
  tensors: Tensor[];
}

const opened = new Map<number, Opened>();
let count = 0;

/** Set where onnxruntime-web finds its wasm file. */
export function setBase(base: string): void {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { wasm: `${base}ort-wasm-simd-threaded.wasm` };
  ort.env.logLevel = "error";
}

/**
 * Open a graph whose inputs and outputs must be those of the device file's header.
 *
 * Returns the number of the session, and name and version of the engine; throws with the reason if it is refused.
 */
export async function open(graph: Uint8Array, contract: Tensor[]): Promise<{ session: number; engine: string }> {
  const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  try {
    compare("input", session.inputMetadata, contract.map((tensor) => ({ ...tensor, name: tensor.input })));
    compare("output", session.outputMetadata, contract.map((tensor) => ({ ...tensor, name: tensor.output })));
  } catch (error) {
    await session.release();
    throw error;
  }
  count += 1;
  opened.set(count, { session, tensors: contract });
  return { session: count, engine: `ONNX Runtime Web ${ort.env.versions.web ?? ""}`.trim() };
}

function compare(
  kind: string,
  found: readonly ort.InferenceSession.ValueMetadata[],
  wanted: { name: string; type: string; shape: number[] }[],
): void {
  const text = (value: { name: string; type?: string; shape?: readonly (number | string)[] }): string =>
    `${value.name} ${value.type ?? "?"}[${value.shape?.join(",") ?? "?"}]`;
  const has = found.map((value) => text(value.isTensor ? value : { name: value.name }));
  const needs = wanted.map(text);
  const at = needs.findIndex((value, index) => value !== has[index]);
  if (has.length !== needs.length) {
    throw new Error(`the graph has ${has.length} ${kind}s; by the header it has ${needs.length}`);
  }
  if (at >= 0) throw new Error(`${kind} ${at} of the graph is ${has[at]}, not ${needs[at]} as in the header`);
}

/**
 * Run a session once.
 *
 * `inputs` and `outputs` are indices of lists of pointers in the library's memory, which `memory` returns: it may be
 * another one after each wait.
 */
export async function run(
  number: number,
  inputs: number,
  outputs: number,
  memory: () => { bytes: Uint8Array; words: Uint32Array },
): Promise<void> {
  const { session, tensors } = opened.get(number)!;
  const feeds: Record<string, ort.Tensor> = {};
  const before = memory();
  tensors.forEach((tensor, index) => {
    const start = before.words[inputs + index]!;
    feeds[tensor.input] = makeTensor(tensor, before.bytes, start);
  });
  const results = await session.run(feeds);
  const after = memory();
  tensors.forEach((tensor, index) => {
    const data = results[tensor.output]!.data as Uint8Array | Float32Array;
    after.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), after.words[outputs + index]!);
  });
}

function makeTensor(tensor: Tensor, bytes: Uint8Array, start: number): ort.Tensor {
  const length = tensor.shape.reduce((product, axis) => product * axis, 1);
  if (tensor.type === "uint8") return new ort.Tensor("uint8", bytes.subarray(start, start + length), tensor.shape);
  return new ort.Tensor("float32", new Float32Array(bytes.buffer, start, length), tensor.shape);
}

/** Release a session. */
export function close(number: number): void {
  void opened.get(number)?.session.release();
  opened.delete(number);
}
