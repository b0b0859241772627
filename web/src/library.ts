/** Models and streams of the C library. */

import { allocate, type Native, number, put, text, wait } from "./native";
import type { Beat, FrameResult, ModelInfo } from "./results";

const OUTLINE_POINTS = 20000;
const MORE = 1;

/** The sentence of a call that the library refused. */
function refusal(native: Native): Error {
  return new Error(text(native, "ew_error"));
}

function check(native: Native, status: number): number {
  if (status < 0) throw refusal(native);
  return status;
}

/** An opened device file. */
export class Model {
  private constructor(
    readonly native: Native,
    readonly pointer: number,
    readonly info: ModelInfo,
  ) {}

  /** Verify and open the bytes of a device file. */
  static async open(native: Native, bytes: Uint8Array): Promise<Model> {
    const copy = put(native, bytes);
    const pointer = await wait(native, "ew_open", copy, bytes.length);
    native._free(copy);
    if (!pointer) throw refusal(native);
    return new Model(native, pointer, JSON.parse(text(native, "ew_describe", pointer)) as ModelInfo);
  }

  /** Whether this browser gives the answers that the device file states; null if it states none. */
  async selftest(): Promise<boolean | null> {
    const status = await wait(this.native, "ew_selftest", this.pointer);
    return status === MORE ? null : status === 0;
  }

  close(): void {
    this.native.ccall("ew_close", null, ["number"], [this.pointer]);
  }
}

export interface StreamOptions {
  width: number;
  height: number;
  /** Frames a second; null if unknown: no heart rate. */
  fps: number | null;
  /** Height and width of a pixel; null if unknown: no volumes. */
  spacingMm: number | null;
}

/** A cine, frame by frame. The view is searched, in the frames as they come or in the whole cine before them. */
export class Stream {
  private readonly native: Native;
  private readonly pointer: number;
  private readonly pixels: number;
  private readonly frame: number;
  private readonly maskBytes: number;
  private readonly outlinePoints: number;

  constructor(
    model: Model,
    private readonly options: StreamOptions,
  ) {
    const { width, height, fps, spacingMm } = options;
    this.native = model.native;
    this.pixels = width * height;
    this.pointer = number(this.native, "ew_stream", model.pointer, width, height, fps ?? 0, spacingMm ?? 0);
    if (!this.pointer) throw refusal(this.native);
    this.frame = allocate(this.native, this.pixels);
    this.maskBytes = allocate(this.native, this.pixels);
    this.outlinePoints = allocate(this.native, 8 * OUTLINE_POINTS);
  }

  destroy(): void {
    this.native.ccall("ew_destroy", null, ["number"], [this.pointer]);
    for (const memory of [this.frame, this.maskBytes, this.outlinePoints]) this.native._free(memory);
  }

  /**
   * Search region and orientation in all frames of a cine, uint8 grey each, before they are pushed.
   *
   * Returns whether the orientation is clear; if not, the cine must be seen in its rival too.
   */
  async findView(frames: readonly Uint8Array[], pause: () => Promise<void>): Promise<boolean> {
    const { native } = this;
    const { width, height } = this.options;
    check(native, number(native, "ew_cine_begin", this.pointer, width, height, frames.length));
    for (let at = 0; (at = number(native, "ew_cine_next_added")) < frames.length; ) {
      this.set(frames[at]!);
      native.ccall("ew_cine_add", null, ["number"], [this.frame]);
    }
    for (let at = 0; (at = number(native, "ew_cine_next_sampled")) < frames.length; ) {
      this.set(frames[at]!);
      check(native, await wait(native, "ew_cine_sample", this.frame));
      await pause();
    }
    return number(native, "ew_cine_end") === 1;
  }

  /** Take the view of another stream in the next best orientation, before the first frame. */
  takeRival(first: Stream): void {
    this.native.ccall("ew_cine_rival", null, ["number", "number"], [this.pointer, first.pointer]);
  }

  /** The stream whose results hold, after the end of the cine; `rival` is null where it was not needed. */
  static best(first: Stream, rival: Stream | null): Stream {
    const best = number(first.native, "ew_cine_best", first.pointer, rival?.pointer ?? 0);
    return rival && best === rival.pointer ? rival : first;
  }

  /** Judge the whole cine; `ever` is 1 where any mask of the best stream has cavity. */
  static judge(first: Stream, rival: Stream | null, ever: Uint8Array): void {
    const memory = put(first.native, ever);
    const pointers = [first.pointer, rival?.pointer ?? 0, memory];
    first.native.ccall("ew_cine_judge", null, ["number", "number", "number"], pointers);
    first.native._free(memory);
  }

  /** Take the next frame, uint8 grey; returns the result of an earlier frame, or null while there is none. */
  async push(frame: Uint8Array, timeS: number | null): Promise<FrameResult | null> {
    const { width, height } = this.options;
    this.set(frame);
    return this.answer(check(this.native, await wait(this.native, "ew_push", this.pointer, this.frame, width, height, timeS ?? 0)));
  }

  /** End the cine; returns one result more, or null after the last, when all beats are measured. */
  async flush(): Promise<FrameResult | null> {
    return this.answer(check(this.native, await wait(this.native, "ew_flush", this.pointer)));
  }

  private answer(status: number): FrameResult | null {
    return status === MORE ? null : this.read();
  }

  private set(frame: Uint8Array): void {
    if (frame.length !== this.pixels) throw new Error(`a frame of ${frame.length} pixels, not ${this.pixels}`);
    this.native.HEAPU8.set(frame, this.frame);
  }

  /** The newest result; null before the first. */
  read(): FrameResult | null {
    const json = text(this.native, "ew_result", this.pointer);
    return json ? (JSON.parse(json) as FrameResult) : null;
  }

  /** Beats so far, in the order of time; of very many the newest, as the library forgets the first ones. */
  beats(): Beat[] {
    const found: Beat[] = [];
    const count = this.read()?.beats ?? 0;
    for (let json; found.length < count && (json = text(this.native, "ew_beat", this.pointer, count - 1 - found.length)); ) {
      found.push(JSON.parse(json) as Beat);
    }
    return found.reverse();
  }

  /** Mask of the newest result, 1 for cavity, uint8 (height, width). */
  mask(): Uint8Array {
    const { width, height } = this.options;
    check(this.native, number(this.native, "ew_mask", this.pointer, this.maskBytes, width, height));
    return this.native.HEAPU8.slice(this.maskBytes, this.maskBytes + this.pixels);
  }

  /** Outline of the newest mask: x and y of each point, in pixels of the frame. */
  outline(): Int32Array {
    const points = number(this.native, "ew_outline", this.pointer, this.outlinePoints, OUTLINE_POINTS);
    const start = this.outlinePoints >> 2;
    return this.native.HEAP32.slice(start, start + 2 * Math.max(0, points));
  }
}

/** Begin to search the frames of a cine for colour, each of so many pixels. */
export function beginColours(native: Native, pixels: number): void {
  native.ccall("ew_colour_begin", null, ["number"], [pixels]);
}

/** Turn pixels of a canvas into grey ones, uint8 (height * width); with `isSampled` they are searched for colour. */
export function toGrey(native: Native, rgba: Uint8ClampedArray, isSampled: boolean): Uint8Array<ArrayBuffer> {
  const pixels = rgba.length / 4;
  const from = put(native, rgba);
  const to = allocate(native, pixels);
  const isDone = number(native, "ew_grey", from, to, pixels, isSampled ? 1 : 0) === 1;
  const grey = native.HEAPU8.slice(to, to + pixels) as Uint8Array<ArrayBuffer>;
  native._free(from);
  native._free(to);
  if (!isDone) throw new Error("out of memory; cut the cine shorter");
  return grey;
}
