/** Frames of a camera, segmented as they come; the view is searched in them, as Python's `stream` does. */

import { GreyReader } from "./canvas";
import { type Model, Stream } from "./library";
import type { Native } from "./native";
import type { Stated, Tell } from "./protocol";

export class LiveJob {
  private stream: Stream | null = null;
  /** Grey frames that have no answer yet, by their index. */
  private pictures = new Map<number, Uint8Array<ArrayBuffer>>();
  private frames = 0;
  private beats = 0;
  private size = [0, 0];
  private readonly reader: GreyReader;

  constructor(
    native: Native,
    private readonly model: Model,
    private readonly stated: Stated,
    private readonly tell: Tell,
  ) {
    this.reader = new GreyReader(native, false);
  }

  /** Take the next frame; one of another size begins a new cine. */
  async push(frame: ImageBitmap, timeS: number): Promise<void> {
    const begun = performance.now();
    const { width, height } = frame;
    if (!this.stream || width !== this.size[0] || height !== this.size[1]) this.begin(width, height);
    const grey = this.reader.read(width, height, (context) => context.drawImage(frame, 0, 0));
    this.pictures.set(this.frames++, grey);
    try {
      this.answer(await this.stream!.push(grey, timeS), begun);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  private answer(result: Awaited<ReturnType<Stream["push"]>>, begun: number): void {
    if (!result) return this.tell({ said: "searching" });
    const picture = this.pictures.get(result.frame)!;
    this.pictures.delete(result.frame);
    const outline = this.stream!.outline();
    const beats = result.beats === this.beats ? null : this.stream!.beats();
    this.beats = result.beats;
    const wholeMs = performance.now() - begun;
    this.tell({ said: "answer", result, outline, picture, beats, wholeMs }, [picture.buffer, outline.buffer]);
  }

  private begin(width: number, height: number): void {
    this.end();
    this.size = [width, height];
    this.stream = new Stream(this.model, { width, height, ...this.stated });
    this.tell({ said: "begun", shape: { width, height, frames: null, fps: this.stated.fps } });
  }

  /** Forget the cine. */
  end(): void {
    this.stream?.destroy();
    this.stream = null;
    this.pictures.clear();
    this.frames = this.beats = 0;
  }
}
