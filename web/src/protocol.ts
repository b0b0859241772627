/** Messages between the page and its worker. */

import type { Beat, FrameResult, ModelInfo } from "./results";

/** What the user states about the frames; null if unknown or to be taken from the file. */
export interface Stated {
  fps: number | null;
  /** Height and width of a pixel in millimetres. */
  spacingMm: number | null;
}

export type Order =
  | { do: "open"; base: string; file: string }
  | { do: "cine"; files: File[]; stated: Stated }
  | { do: "live"; stated: Stated }
  | { do: "push"; frame: ImageBitmap; timeS: number }
  | { do: "stop" }
  | { do: "masks" };

export interface Shape {
  width: number;
  height: number;
  /** Of the cine; null for a camera. */
  frames: number | null;
  fps: number | null;
}

/** What was seen in a frame. */
export interface Seen {
  result: FrameResult;
  /** x and y of each point, in pixels of the frame. */
  outline: Int32Array;
}

/** A frame that was segmented. */
export interface Answer extends Seen {
  /** Grey pixels of that frame, uint8 (height * width). */
  picture: Uint8Array<ArrayBuffer>;
  /** Beats so far, when there are new ones. */
  beats: Beat[] | null;
  /** Milliseconds of the whole frame. */
  wholeMs: number;
}

export type Report =
  | { said: "open"; info: ModelInfo; isProven: boolean | null }
  | { said: "decoding"; frames: number }
  | { said: "begun"; shape: Shape }
  | { said: "searching" }
  | ({ said: "answer" } & Answer)
  | { said: "comparing" }
  | { said: "turned"; seen: Seen[] }
  | { said: "done"; result: FrameResult | null; beats: Beat[]; seconds: number }
  | { said: "masks"; npy: Uint8Array<ArrayBuffer> }
  | { said: "failed"; message: string };

/** Sends a report to the page; what is in `transfer` is moved and not copied. */
export type Tell = (report: Report, transfer?: Transferable[]) => void;
