/** The area curve: of a whole cine with a cursor, or of the last seconds of a camera. */

import { get } from "./elements";
import type { Beat } from "./results";

export interface Point {
  /** Seconds, or frames where the rate is unknown. */
  at: number;
  areaPx: number;
}

const MARGIN_PX = 14;

/** Plot points that rise in `at` from `start` to `end`; `cursor` is one of these places, or null. */
export function plot(points: readonly Point[], start: number, end: number, cursor: number | null, beats: Beat[]): void {
  const canvas = get("curve", HTMLCanvasElement);
  const context = canvas.getContext("2d")!;
  const style = getComputedStyle(document.documentElement);
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  context.strokeStyle = style.getPropertyValue("--grid");
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  if (points.length < 2) return;
  const areas = points.map((point) => point.areaPx);
  const low = Math.min(...areas);
  const high = Math.max(...areas, low + 1);
  const x = (at: number): number => ((at - start) / Math.max(end - start, 1e-9)) * width;
  const y = (area: number): number => height - MARGIN_PX - ((area - low) / (high - low)) * (height - 2 * MARGIN_PX);
  context.strokeStyle = style.getPropertyValue("--s3");
  context.lineWidth = 2;
  context.beginPath();
  for (const point of points) context.lineTo(x(point.at), y(point.areaPx));
  context.stroke();
  for (const beat of beats) {
    for (const [frame, colour] of [[beat.ed_frame, "--s2"], [beat.es_frame, "--s1"]] as const) {
      const point = points[frame];
      if (!point) continue;
      context.fillStyle = style.getPropertyValue(colour);
      context.beginPath();
      context.arc(x(point.at), y(point.areaPx), 5, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.fillStyle = style.getPropertyValue("--soft");
  context.font = "12px system-ui, sans-serif";
  context.fillText(`${high.toFixed(0)} px`, 6, 13);
  context.fillText(`${low.toFixed(0)} px`, 6, height - 4);
  if (cursor !== null) {
    context.fillRect(x(cursor) - 0.5, 0, 1, height);
  }
}
