/** EF, verdict, reasons, beats and the frame budget. */

import { get, write } from "./elements";
import type { Answer } from "./protocol";
import type { Beat, FrameResult } from "./results";

const number = (value: number | null, digits = 0): string => (value === null ? "-" : value.toFixed(digits));

/** Show the figures of a result, and the interval of its EF, or null. */
export function showResult(result: FrameResult, interval: [number, number] | null): void {
  const { ef_percent: ef, heart_rate_bpm: rate } = result;
  write("ef", ef !== null ? `EF ${ef.toFixed(0)}%` : result.withheld_ef_percent !== null ? "EF withheld" : "no EF");
  if (interval) {
    const small = document.createElement("small");
    small.textContent = ` ${number(interval[0])} to ${number(interval[1])}`;
    get("ef", HTMLElement).append(small);
  }
  const verdict = get("verdict", HTMLElement);
  verdict.hidden = false;
  verdict.textContent = result.verdict;
  verdict.className = `verdict ${result.verdict}`;
  const volumes = result.edv_ml === null ? "" : `EDV ${number(result.edv_ml)} mL, ESV ${number(result.esv_ml)} mL`;
  write("rate", [rate === null ? "" : `${number(rate)} beats a minute`, volumes].filter(Boolean).join(", "));
  const items = [...result.reasons, ...result.notes].map((reason) => {
    const item = document.createElement("li");
    item.textContent = reason.text;
    return item;
  });
  get("reasons", HTMLElement).replaceChildren(...items);
}

/** Show beats in the table, the newest first. */
export function showBeats(beats: readonly Beat[]): void {
  const rows = [...beats].reverse().map((beat) => {
    const row = document.createElement("tr");
    if (!beat.is_used) row.className = "out";
    const figures = [beat.ed_frame, beat.es_frame, number(beat.ef_percent), number(beat.edv_ml), number(beat.heart_rate_bpm)];
    for (const figure of figures) {
      const cell = row.insertCell();
      cell.className = "n";
      cell.textContent = String(figure);
    }
    const codes = beat.reasons.map((reason) => reason.code.replaceAll("_", " ")).join(", ");
    row.insertCell().textContent = beat.is_used ? "used" : `left out: ${codes}`;
    return row;
  });
  get("beats", HTMLTableSectionElement).replaceChildren(...rows);
}

/** Show how long a frame took; `fps` is the number of frames segmented a second. */
export function showBudget(answer: Answer, fps: number, leftOut: number): void {
  write("network", `${answer.result.engine_ms.toFixed(1)} ms`);
  write("whole", `${answer.wholeMs.toFixed(1)} ms`);
  write("speed", fps.toFixed(0));
  write("dropped", String(leftOut + answer.result.frames_dropped));
}

/** Remove all figures, for the next cine. */
export function clearFigures(): void {
  for (const id of ["ef", "network", "whole", "speed", "dropped"]) write(id, "-");
  write("rate", "");
  get("verdict", HTMLElement).hidden = true;
  get("reasons", HTMLElement).replaceChildren();
  showBeats([]);
}
