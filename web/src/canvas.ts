/** Grey pixels of pictures that the browser has decoded. */

import { beginColours, toGrey } from "./library";
import type { Native } from "./native";

/** Reads pictures of one size. */
export class GreyReader {
  private canvas = new OffscreenCanvas(1, 1);
  private context = this.open();

  /** With `isSampled` the pictures are searched for colour, from the first of a size on. */
  constructor(
    private readonly native: Native,
    private readonly isSampled: boolean,
  ) {}

  private open(): OffscreenCanvasRenderingContext2D {
    const context = this.canvas.getContext("2d", { willReadFrequently: true, alpha: false });
    if (!context) throw new Error("this browser gives no canvas to read pictures from");
    return context;
  }

  /** Draw a picture by `draw`, and return its grey pixels, uint8 (height * width). */
  read(width: number, height: number, draw: (context: OffscreenCanvasRenderingContext2D) => void): Uint8Array<ArrayBuffer> {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas = new OffscreenCanvas(width, height);
      this.context = this.open();
      if (this.isSampled) beginColours(this.native, width * height);
    }
    draw(this.context);
    return toGrey(this.native, this.context.getImageData(0, 0, width, height).data, this.isSampled);
  }
}
