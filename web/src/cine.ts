/** A cine in memory, and the time base of its frames. */

/** Frames of one size with their times. */
export interface Cine {
  width: number;
  height: number;
  /** uint8 grey (height * width) each. */
  frames: Uint8Array<ArrayBuffer>[];
  /** Frames a second; null if unknown. */
  fps: number | null;
  /** Time of each frame in seconds from the first; null where they are evenly spaced or unknown. */
  timesS: number[] | null;
}

/** Bounds of a frame's sides, as in the library. */
export const MIN_SIDE_PX = 16;
export const MAX_SIDE_PX = 4096;
/** Most pixels of all frames together: a gigabyte of memory holds them and what is computed. */
export const MAX_PIXELS = 400e6;
/** Frames are evenly spaced if no step differs from the median step by a larger part of it. */
const MAX_UNEVEN_FRACTION = 0.1;

/** Refuse frames of a size that cannot be segmented. */
export function checkSize(width: number, height: number, frames: number): void {
  if (Math.min(width, height) < MIN_SIDE_PX || Math.max(width, height) > MAX_SIDE_PX) {
    throw new Error(`frames of ${width}x${height} pixels; ${MIN_SIDE_PX} to ${MAX_SIDE_PX} a side can be read`);
  }
  if (width * height * frames > MAX_PIXELS) {
    throw new Error(`${frames} frames of ${width}x${height} are too many for this page; cut the cine shorter`);
  }
}

/** The part of Python's `from_times` (edgeecho/cine/times.py) for times that rise: rate, and times if uneven. */
export function timeBase(timesS: number[]): Pick<Cine, "fps" | "timesS"> {
  const steps = timesS.slice(1).map((time, index) => time - timesS[index]!);
  if (!steps.length || steps.some((step) => step <= 0)) return { fps: null, timesS: null };
  const step = median(steps);
  const isEven = steps.every((each) => Math.abs(each - step) <= MAX_UNEVEN_FRACTION * step);
  const first = timesS[0]!;
  if (isEven) return { fps: steps.length / (timesS[timesS.length - 1]! - first), timesS: null };
  return { fps: 1 / step, timesS: timesS.map((time) => time - first) };
}

/** Median of one or more numbers. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
