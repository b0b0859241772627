/** The page: orders of the user to the worker, and what it reports. */

import { Camera } from "./camera";
import { plot, type Point } from "./curve";
import { get, write } from "./elements";
import { clearFigures, showBeats, showBudget, showResult } from "./figures";
import { type EfError, efInterval } from "./interval";
import { keepOffline } from "./offline";
import { Player } from "./player";
import type { Answer, Order, Report, Seen, Shape, Stated } from "./protocol";
import type { Beat, ModelInfo } from "./results";
import { save, type Segmented, toJson } from "./saving";
import { clear, draw } from "./scene";

/** A device file of the page's folder. */
interface ModelFile {
  name: string;
  file: string;
  ef_error: EfError | null;
}

const LIVE_SECONDS = 8;
const base = new URL(".", location.href).href;
const worker = new Worker("worker.mjs", { type: "module" });
const player = new Player((answer) => show(answer));
const camera = new Camera(
  (frame, timeS) => order({ do: "push", frame, timeS }, [frame]),
  (message) => void stopCamera(message),
);

let model: ModelInfo | null = null;
let efError: EfError | null = null;
let shape: Shape | null = null;
let name = "cine";
let points: Point[] = [];
let beats: Beat[] = [];
let segmented: Segmented | null = null;
let isLive = false;

function order(given: Order, transfer: Transferable[] = []): void {
  worker.postMessage(given, transfer);
}

/** What the user states; throws with one line if a number makes no sense. */
function stated(): Stated {
  const read = (id: string): number | null => {
    const field = get(id, HTMLInputElement);
    if (!field.validity.valid) throw new Error(`${field.labels?.[0]?.textContent?.trim()}: ${field.min} to ${field.max}, or empty`);
    return field.value === "" ? null : field.valueAsNumber;
  };
  return { fps: read("fps"), spacingMm: read("spacing") };
}

function fail(message: string): void {
  write("said", message);
  write("veil", player.answers.length || isLive ? "" : "drop a cine here: MP4, MOV, WEBM, Motion JPEG AVI, or its frames as PNG");
}

function begin(): void {
  player.clear();
  clear();
  clearFigures();
  write("said", "");
  points = [];
  beats = [];
  segmented = shown = null;
  get("save", HTMLButtonElement).disabled = true;
}

function openCine(files: File[]): void {
  try {
    if (!model) throw new Error("the model is not loaded yet; try again in a moment");
    const given = stated();
    void stopCamera("");
    begin();
    name = files[0]?.name.replace(/\.[^.]*$/, "") || "cine";
    write("veil", "decoding");
    order({ do: "cine", files, stated: given });
  } catch (error) {
    fail((error as Error).message);
  }
}

async function startCamera(): Promise<void> {
  try {
    const given = stated();
    begin();
    isLive = true;
    get("camera", HTMLButtonElement).setAttribute("aria-pressed", "true");
    write("veil", "waiting for the camera");
    const rate = await camera.open();
    order({ do: "live", stated: { ...given, fps: given.fps ?? rate } });
    camera.ready();
    get("new", HTMLButtonElement).disabled = false;
  } catch (error) {
    await stopCamera((error as Error).message);
  }
}

async function stopCamera(message: string): Promise<void> {
  if (!isLive) return;
  isLive = false;
  camera.close();
  order({ do: "stop" });
  get("camera", HTMLButtonElement).setAttribute("aria-pressed", "false");
  get("new", HTMLButtonElement).disabled = true;
  if (message) fail(message);
}

/** Where a frame is on the curve: seconds, or frames without a rate. */
const place = (answer: Answer): number => answer.result.time_s ?? answer.result.frame / (shape?.fps ?? 1);

let shown: Answer | null = null;

function show(answer: Answer): void {
  if (!shape) return;
  shown = answer;
  draw(answer, shape.width, shape.height);
  if (!isLive) plot(points, 0, points.at(-1)?.at ?? 1, place(answer), beats);
}

const recent: number[] = [];

function take(answer: Answer): void {
  const now = performance.now();
  recent.push(now);
  while (now - recent[0]! > 1e3) recent.shift();
  if (answer.beats) showBeats((beats = answer.beats));
  points.push({ at: place(answer), areaPx: answer.result.area_px });
  show(answer);
  showResult(answer.result, efInterval(efError, answer.result.ef_percent, beats));
  showBudget(answer, recent.length, camera.leftOut);
  if (isLive) {
    const end = points.at(-1)!.at;
    while (points[0]!.at < end - LIVE_SECONDS) points.shift();
    plot(points, Math.min(points[0]!.at, end - LIVE_SECONDS), end, null, []);
    write("veil", answer.result.view_fixed ? "" : "region and orientation are searched");
    camera.ready();
  } else {
    player.answers.push(answer);
    write("veil", `frame ${answer.result.frame + 1} of ${shape?.frames ?? 0}`);
  }
}

/** Replace the results by those of the other orientation. */
function turn(seen: Seen[]): void {
  points = [];
  for (const [index, { result, outline }] of seen.entries()) {
    const answer = Object.assign(player.answers[index]!, { result, outline });
    points.push({ at: place(answer), areaPx: result.area_px });
  }
}

function finish(report: Extract<Report, { said: "done" }>): void {
  if (!shape || !model || !report.result) return;
  showBeats((beats = report.beats));
  const interval = efInterval(efError, report.result.ef_percent, beats);
  showResult(report.result, interval);
  const { answers } = player;
  write("speed", `${(answers.length / report.seconds).toFixed(1)} (${answers.length} frames in ${report.seconds.toFixed(1)} s, search included)`);
  write("veil", "");
  segmented = { name, shape, stated: stated(), model, answers, beats, result: report.result, interval, seconds: report.seconds };
  get("save", HTMLButtonElement).disabled = false;
  player.begin(shape);
}

function showModel(report: Extract<Report, { said: "open" }>): void {
  model = report.info;
  const proven = { true: "gives the proven answers here", false: "does not give the proven answers here", null: "" }[`${report.isProven}`];
  write("about", [`${model.name} ${model.precision}`, model.engine, proven].filter(Boolean).join(" · "));
  write("licence", `${model.name}: weights under ${model.licence}. ${model.intended_use}`);
  get("camera", HTMLButtonElement).disabled = false;
  if (report.isProven === false) write("said", "this browser does not give the answers that the model was proven with; do not use its figures");
  write("veil", player.answers.length ? "" : "drop a cine here: MP4, MOV, WEBM, Motion JPEG AVI, or its frames as PNG");
  document.body.dataset["ready"] = get("model", HTMLSelectElement).selectedOptions[0]?.text;
}

worker.onmessage = ({ data: report }: MessageEvent<Report>) => {
  switch (report.said) {
    case "open": return showModel(report);
    case "decoding": return write("veil", `decoding: ${report.frames} frames`);
    case "begun":
      begin(); // what came of the job before is forgotten
      shape = report.shape;
      return;
    case "searching": return isLive ? camera.ready() : write("veil", "region and orientation are searched");
    case "answer": return take(report);
    case "comparing": return write("veil", "the picture is compared with its mirror image or its turn");
    case "turned": return turn(report.seen);
    case "done": return finish(report);
    case "masks": return save(`${name}.npy`, report.npy, "application/octet-stream");
    case "failed":
      if (isLive) return void stopCamera(report.message);
      return fail(report.message);
  }
};
worker.onerror = (event) => fail(`the page cannot work in this browser: ${event.message || "its worker did not start"}`);

async function listModels(): Promise<void> {
  const response = await fetch("models.json");
  const files = (await response.json()) as ModelFile[];
  const select = get("model", HTMLSelectElement);
  select.replaceChildren(...files.map(({ name, file }) => new Option(name, file)));
  const open = (): void => {
    delete document.body.dataset["ready"];
    void stopCamera("");
    begin();
    write("veil", "loading the model");
    efError = files[select.selectedIndex]?.ef_error ?? null;
    order({ do: "open", base, file: select.value });
  };
  select.addEventListener("change", open);
  open();
}

function listen(): void {
  const scene = get("scene", HTMLElement);
  const files = get("files", HTMLInputElement);
  files.addEventListener("change", () => {
    if (files.files?.length) openCine([...files.files]);
    files.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      scene.classList.toggle("dropping", kind === "dragover");
    });
  }
  document.addEventListener("drop", (event) => openCine([...(event.dataTransfer?.files ?? [])]));
  get("camera", HTMLButtonElement).addEventListener("click", () => void (isLive ? stopCamera("the camera is closed") : startCamera()));
  get("new", HTMLButtonElement).addEventListener("click", () => void stopCamera("").then(startCamera));
  get("save", HTMLButtonElement).addEventListener("click", () => {
    if (!segmented) return;
    save(`${segmented.name}.json`, toJson(segmented), "application/json");
    order({ do: "masks" });
  });
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (shown && !isLive) show(shown); // the curve is drawn in the colours of the theme
});
listen();
void listModels().catch(() => fail("the list of models cannot be read; build the page again (make web)"));
void keepOffline();
