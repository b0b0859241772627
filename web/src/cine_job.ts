/** A cine from dropped files, segmented as a whole: Python's `CinePredictor.segment`, by the C library. */

import type { Cine } from "./cine";
import { decode } from "./decode";
import { type Model, Stream } from "./library";
import type { Native } from "./native";
import { npy, pack, union, unpack } from "./npy";
import type { Seen, Stated, Tell } from "./protocol";
import type { FrameResult } from "./results";

const DECODED_STEP = 8;

/** Called with each result; `begun` is when its frame came. */
type Take = (stream: Stream, result: FrameResult, begun: number) => void;

export class CineJob {
  private packed: Uint8Array[] = [];
  private size = [0, 0];

  /** `pause` lets other orders in, and throws when one has ended this job. */
  constructor(
    private readonly native: Native,
    private readonly model: Model,
    private readonly stated: Stated,
    private readonly tell: Tell,
    private readonly pause: () => Promise<void>,
  ) {}

  /** Decode and segment. */
  async run(files: File[]): Promise<void> {
    const cine = await decode(this.native, files, async (frames) => {
      if (frames % DECODED_STEP === 0) this.tell({ said: "decoding", frames });
      await this.pause();
    });
    const fps = this.stated.fps ?? cine.fps;
    const timesS = this.stated.fps === null ? cine.timesS : null;
    await this.segment({ ...cine, fps, timesS });
  }

  /** Masks of all frames as a file of NumPy. */
  masks(): Uint8Array<ArrayBuffer> {
    return npy(this.packed, this.size[1]!, this.size[0]!);
  }

  private async segment(cine: Cine): Promise<void> {
    const { width, height, frames, fps } = cine;
    this.size = [width, height];
    this.tell({ said: "begun", shape: { width, height, frames: frames.length, fps } });
    const started = performance.now();
    const options = { width, height, fps, spacingMm: this.stated.spacingMm };
    const first = new Stream(this.model, options);
    let rival: Stream | null = null;
    try {
      this.tell({ said: "searching" });
      const isClear = await first.findView(frames, this.pause);
      await this.push(first, cine, (stream, result, begun) => this.answer(stream, result, frames, begun));
      if (!isClear) {
        rival = new Stream(this.model, options);
        rival.takeRival(first);
        await this.compare(first, rival, cine);
      }
      const best = Stream.best(first, rival);
      Stream.judge(first, rival, unpack(union(this.packed), width * height));
      const seconds = (performance.now() - started) / 1e3;
      this.tell({ said: "done", result: best.read(), beats: best.beats(), seconds });
    } finally {
      first.destroy();
      rival?.destroy();
    }
  }

  /** Push all frames and end the cine. */
  private async push(stream: Stream, cine: Cine, take: Take): Promise<void> {
    for (const [index, frame] of cine.frames.entries()) {
      const begun = performance.now();
      const result = await stream.push(frame, cine.timesS?.[index] ?? null);
      if (result) take(stream, result, begun);
      await this.pause();
    }
    for (let begun = performance.now(), result; (result = await stream.flush()); begun = performance.now()) {
      take(stream, result, begun);
    }
  }

  private answer(stream: Stream, result: FrameResult, frames: readonly Uint8Array[], begun: number): void {
    this.packed.push(pack(stream.mask()));
    const picture = new Uint8Array(frames[result.frame]!);
    const outline = stream.outline();
    const wholeMs = performance.now() - begun;
    this.tell({ said: "answer", result, outline, picture, beats: null, wholeMs }, [picture.buffer, outline.buffer]);
  }

  /** See the cine in the next best orientation, and tell the results where that is the better one. */
  private async compare(first: Stream, rival: Stream, cine: Cine): Promise<void> {
    const seen: Seen[] = [];
    const packed: Uint8Array[] = [];
    this.tell({ said: "comparing" });
    await this.push(rival, cine, (stream, result) => {
      packed.push(pack(stream.mask()));
      seen.push({ result, outline: stream.outline() });
    });
    if (Stream.best(first, rival) === first) return;
    this.packed = packed;
    this.tell({ said: "turned", seen });
  }
}
