/** What the library returns, as web/native/json.c writes it. Numbers that are not known are null. */

/** Why a figure is doubtful: docs/trust.md. */
export interface Reason {
  code: string;
  text: string;
}

export interface ModelInfo {
  name: string;
  licence: string;
  intended_use: string;
  precision: string;
  engine: string;
  sha256: string;
}

export interface FrameResult {
  frame: number;
  area_px: number;
  ef_percent: number | null;
  withheld_ef_percent: number | null;
  edv_ml: number | null;
  esv_ml: number | null;
  heart_rate_bpm: number | null;
  /** Number of beats so far. */
  beats: number;
  verdict: "report" | "review" | "withhold";
  reasons: Reason[];
  notes: Reason[];
  view_fixed: number;
  flip: number;
  inverted: number;
  /** x, y, width and height in pixels of the frame. */
  roi: [number, number, number, number];
  time_s: number | null;
  frames_dropped: number;
  engine_ms: number;
}

export interface Beat {
  ed_frame: number;
  es_frame: number;
  ef_percent: number;
  edv_ml: number | null;
  esv_ml: number | null;
  heart_rate_bpm: number | null;
  is_used: number;
  reasons: Reason[];
}

/** Names of the orientations, by their number in the library (`FLIPS` in Python). */
export const FLIPS = ["none", "lr", "ud", "lrud", "cw", "ccw", "cwlr", "ccwlr"] as const;
