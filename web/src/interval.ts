/** Interval of EF: Python's `edgeecho/runtime/ef_interval.py`, where the method is explained. */

import type { Beat } from "./results";

/** Error of a model as web/models.py writes it: quantiles in points of EF, and the factor of the beats' deviation. */
export interface EfError {
  low: number;
  high: number;
  deviation_factor: number;
}

/** Lower and upper end of EF for 90% of patients, 0 to 100; null without an EF, or if the model's error is not known. */
export function efInterval(error: EfError | null, ef: number | null, beats: readonly Beat[]): [number, number] | null {
  const used = beats.filter((beat) => beat.is_used).map((beat) => beat.ef_percent);
  if (!error || ef === null || !used.length) return null;
  const mean = used.reduce((sum, value) => sum + value, 0) / used.length;
  const squares = used.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, used.length - 1));
  const own = (error.deviation_factor * deviation) / Math.sqrt(used.length);
  const middle = ef + (error.low + error.high) / 2;
  const half = Math.hypot((error.high - error.low) / 2, own);
  return [Math.max(0, middle - half), Math.min(100, middle + half)];
}
