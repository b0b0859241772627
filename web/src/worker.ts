/** The worker: decodes, segments and measures, one job at a time, so that the page stays responsive. */

import { GreyReader } from "./canvas";
import { decode } from "./decode";
import { Model, Stream } from "./library";
import { loadNative, type Native } from "./native";
import { npy, pack } from "./npy";
import type { Order, Report, Stated } from "./protocol";
import type { FrameResult } from "./results";

interface Scope {
  postMessage(report: Report, transfer: Transferable[]): void;
  onmessage: (event: MessageEvent<Order>) => void;
}

/** Grey frames that have no answer yet, by their index. */
type Pictures = Map<number, Uint8Array<ArrayBuffer>>;

/** A job that another order has ended. */
class StoppedError extends Error {}

const scope = self as unknown as Scope;
let native: Native | null = null;
let model: Model | null = null;
let job = 0;
let masks: { packed: Uint8Array[]; width: number; height: number } | null = null;
let live: LiveJob | null = null;
let queue = Promise.resolve();

function tell(report: Report, transfer: Transferable[] = []): void {
  scope.postMessage(report, transfer);
}

/** Let messages in; throws if the job is no longer the newest. */
async function pause(own: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(null);
  });
  if (own !== job) throw new StoppedError();
}

function opened(): { native: Native; model: Model } {
  if (!native || !model) throw new Error("no model is open");
  return { native, model };
}

async function open(base: string, file: string): Promise<void> {
  native ??= await loadNative(base);
  const response = await fetch(`${base}${file}`);
  if (!response.ok) throw new Error(`${file}: the server answers ${response.status}; build the page again (make web)`);
  const next = await Model.open(native, new Uint8Array(await response.arrayBuffer()));
  model?.close();
  model = next;
  const isProven = await next.selftest();
  tell({ said: "open", info: next.info, isProven });
}

async function segmentCine(own: number, files: File[], stated: Stated): Promise<void> {
  const { native, model } = opened();
  const cine = await decode(native, files, async (frames) => {
    if (frames % 8 === 0) tell({ said: "decoding", frames });
    await pause(own);
  });
  const { width, height, frames } = cine;
  const fps = stated.fps ?? cine.fps;
  const times = stated.fps === null ? cine.timesS : null;
  tell({ said: "begun", shape: { width, height, frames: frames.length, fps } });
  const started = performance.now();
  const stream = new Stream(model, { width, height, fps, spacingMm: stated.spacingMm });
  masks = { packed: [], width, height };
  try {
    tell({ said: "searching" });
    await stream.findView(frames, () => pause(own));
    const pictures = new Map(frames.entries());
    for (const [index, frame] of frames.entries()) {
      const begun = performance.now();
      answer(stream, await stream.push(frame, times?.[index] ?? null), pictures, begun);
      await pause(own);
    }
    for (let begun = performance.now(), result; (result = await stream.flush()); begun = performance.now()) {
      answer(stream, result, pictures, begun);
    }
    tell({ said: "done", result: stream.read(), beats: stream.beats(), seconds: (performance.now() - started) / 1e3 });
  } finally {
    stream.destroy();
  }
}

let beatsTold = 0;

function answer(stream: Stream, result: FrameResult | null, pictures: Pictures, begun: number): void {
  if (!result) return;
  masks?.packed.push(pack(stream.mask()));
  const picture = pictures.get(result.frame)!;
  pictures.delete(result.frame);
  const outline = stream.outline();
  const beats = result.beats !== beatsTold || result.frame === 0 ? stream.beats() : null;
  beatsTold = result.beats;
  const wholeMs = performance.now() - begun;
  tell({ said: "answer", result, outline, picture, beats, wholeMs, left_out: 0 }, [picture.buffer, outline.buffer]);
}

/** Frames of a camera, as they come. */
class LiveJob {
  private stream: Stream | null = null;
  private pictures: Pictures = new Map();
  private count = 0;
  private size = [0, 0];
  private readonly reader: GreyReader;

  constructor(private readonly stated: Stated) {
    this.reader = new GreyReader(opened().native);
  }

  /** Take the next frame; one of another size begins a new cine. */
  async push(frame: ImageBitmap, timeS: number): Promise<void> {
    const begun = performance.now();
    const { width, height } = frame;
    if (!this.stream || width !== this.size[0] || height !== this.size[1]) this.begin(width, height);
    const grey = this.reader.read(width, height, (context) => context.drawImage(frame, 0, 0));
    this.pictures.set(this.count++, grey);
    try {
      const result = await this.stream!.push(grey, timeS);
      if (result) answer(this.stream!, result, this.pictures, begun);
      else tell({ said: "searching" });
    } catch (error) {
      this.end();
      throw error;
    }
  }

  private begin(width: number, height: number): void {
    this.end();
    this.size = [width, height];
    this.stream = new Stream(opened().model, { width, height, ...this.stated });
    tell({ said: "begun", shape: { width, height, frames: null, fps: this.stated.fps } });
  }

  end(): void {
    this.stream?.destroy();
    this.stream = null;
    this.pictures = new Map();
    this.count = 0;
  }
}

function stop(): void {
  live?.end();
  live = null;
}

async function follow(own: number, order: Order): Promise<void> {
  switch (order.do) {
    case "open":
      stop();
      return open(order.base, order.file);
    case "cine":
      stop();
      return segmentCine(own, order.files, order.stated);
    case "live":
      stop();
      masks = null;
      opened();
      live = new LiveJob(order.stated);
      return;
    case "push":
      if (live) await live.push(order.frame, order.timeS);
      order.frame.close();
      return;
    case "stop":
      stop();
      tell({ said: "stopped" });
      return;
    case "masks": {
      if (!masks) throw new Error("there are no masks to save; drop a cine first");
      const file = npy(masks.packed, masks.height, masks.width);
      tell({ said: "masks", npy: file }, [file.buffer]);
    }
  }
}

scope.onmessage = ({ data: order }) => {
  if (order.do !== "push" && order.do !== "masks") job += 1;
  const own = job;
  queue = queue.then(() => follow(own, order)).catch((error: unknown) => {
    if (error instanceof StoppedError) return;
    const message = error instanceof Error ? error.message : String(error);
    tell({ said: "failed", message: message.replace(/\s+/g, " ") });
  });
};
