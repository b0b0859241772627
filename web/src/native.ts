/** The C library as WebAssembly (web/native), loaded with the sessions of onnxruntime-web that its engine calls. */

import * as sessions from "./sessions";

/** What Emscripten's module has of use here. */
export interface Native {
  HEAPU8: Uint8Array;
  HEAP32: Int32Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  ccall(
    name: string,
    returns: "number" | "string" | null,
    types: "number"[],
    values: number[],
    options?: { async: boolean },
  ): unknown;
}

/** Call a function that returns a number. */
export function number(native: Native, name: string, ...values: number[]): number {
  return native.ccall(name, "number", values.map(() => "number" as const), values) as number;
}

/** Call a function that returns a text; empty for NULL. */
export function text(native: Native, name: string, ...values: number[]): string {
  return native.ccall(name, "string", values.map(() => "number" as const), values) as string;
}

/** Call a function that may run the network, and return its number. One such call at a time. */
export async function wait(native: Native, name: string, ...values: number[]): Promise<number> {
  const types = values.map(() => "number" as const);
  return (await native.ccall(name, "number", types, values, { async: true })) as number;
}

/** Take memory of the library, which the caller frees; throws where there is none. */
export function allocate(native: Native, bytes: number): number {
  const pointer = native._malloc(bytes);
  if (!pointer) throw new Error(`out of memory: ${bytes} bytes`);
  return pointer;
}

/** Copy bytes into memory of the library, which the caller frees; throws where there is none. */
export function put(native: Native, bytes: Uint8Array | Uint8ClampedArray): number {
  const pointer = allocate(native, bytes.length);
  native.HEAPU8.set(bytes, pointer);
  return pointer;
}

/** Load the library; `base` is the address of the page's folder. */
export async function loadNative(base: string): Promise<Native> {
  const { default: create } = (await import(/* @vite-ignore */ `${base}edgeecho.mjs`)) as {
    default: (options: object) => Promise<Native>;
  };
  sessions.setBase(base);
  return create({ sessions });
}
