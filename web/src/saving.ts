/** Files that the page gives to the user. */

import { median } from "./cine";
import type { Answer, Shape, Stated } from "./protocol";
import { type Beat, FLIPS, type FrameResult, type ModelInfo } from "./results";

/** A cine that was segmented. */
export interface Segmented {
  name: string;
  shape: Shape;
  stated: Stated;
  model: ModelInfo;
  answers: Answer[];
  beats: Beat[];
  /** At the end of the cine. */
  result: FrameResult;
  /** Of EF; null if it is not known. */
  interval: [number, number] | null;
  /** From the first look at the frames to the verdict. */
  seconds: number;
}

/** Results as JSON, with the names of `edgeecho segment` where both have them. */
export function toJson(cine: Segmented): string {
  const { result, model, shape, answers } = cine;
  const codes = (reasons: { code: string }[]): string[] => reasons.map((reason) => reason.code);
  const values = {
    notice: model.intended_use,
    model: { name: model.name, precision: model.precision, engine: model.engine, sha256: model.sha256, licence: model.licence },
    frames: answers.length,
    width: shape.width,
    height: shape.height,
    fps: shape.fps,
    spacing_mm: cine.stated.spacingMm,
    roi: result.roi,
    flip: FLIPS[result.flip],
    inverted: result.inverted === 1,
    area_px: answers.map((answer) => answer.result.area_px),
    verdict: result.verdict,
    reasons: codes(result.reasons),
    notes: codes(result.notes),
    ef_percent: result.ef_percent,
    ef_interval: cine.interval,
    withheld_ef_percent: result.withheld_ef_percent,
    edv_ml: result.edv_ml,
    esv_ml: result.esv_ml,
    heart_rate_bpm: result.heart_rate_bpm,
    timing: {
      network_ms: median(answers.map((answer) => answer.result.engine_ms)),
      frame_ms: median(answers.map((answer) => answer.wholeMs)),
      seconds: cine.seconds,
    },
    beats: cine.beats.map((beat) => ({ ...beat, is_used: beat.is_used === 1, reasons: codes(beat.reasons) })),
  };
  return `${JSON.stringify(values, null, 1)}\n`;
}

/** Let the browser save a file. */
export function save(name: string, data: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60e3);
}
