// Builds the page into web/dist: the C library as WebAssembly, the TypeScript, onnxruntime-web, models, service worker.
//
//     node web/build.mjs        by `make web`; PYTHON is the interpreter with EdgeEcho, MODELS the models' names
//
// It needs Emscripten (Debian: apt-get install emscripten) and what `npm ci` installs.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const WEB = dirname(fileURLToPath(import.meta.url));
const DEVICE = join(WEB, "..", "device");
const PAGE = join(WEB, "..", "edgeecho", "report", "page");
const MODULES = join(WEB, "node_modules");
const OUT = join(WEB, "build", "dist");
const DIST = join(WEB, "dist");
const EMCC = process.env.EMCC ?? "emcc";
const PYTHON = process.env.PYTHON ?? "python3";
const MODELS = (process.env.MODELS ?? "default cl_unet_nano").split(/\s+/).filter(Boolean);

function run(program, values, environment = {}) {
  const done = spawnSync(program, values, { stdio: "inherit", env: { ...process.env, ...environment } });
  if (done.error?.code === "ENOENT") throw new Error(`${program} is not installed`);
  if (done.status !== 0) throw new Error(`${program} failed with status ${done.status}`);
}

const sources = (folder) =>
  readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".c")).sort().map((name) => join(folder, name));

// Engines over ONNX Runtime in C, in whose place is web/native/onnxruntime_web.c, what loads libraries, and Python calls.
const isLeftOut = (file) => /\/(onnxruntime\w*|os_library|python)\.c$/.test(file);

function compileLibrary() {
  const files = sources(join(DEVICE, "src")).filter((file) => !isLeftOut(file));
  const native = join(WEB, "native");
  const settings = [
    "STRICT", "ASYNCIFY", "ASYNCIFY_IMPORTS=ew_session_open,ew_session_run", "ASYNCIFY_STACK_SIZE=65536", "MODULARIZE",
    "EXPORT_ES6", "ENVIRONMENT=worker", "ALLOW_MEMORY_GROWTH", "FILESYSTEM=0", "EXPORTED_FUNCTIONS=_malloc,_free",
    "EXPORTED_RUNTIME_METHODS=ccall",
  ];
  const flags = ["-std=c11", "-O3", "-msimd128", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-DEE_BUILDING", "-DEE_ENGINE_ONNXRUNTIME", "-DEE_ENGINE_NATIVE"];
  const include = [join(DEVICE, "include"), join(DEVICE, "src"), native].map((folder) => `-I${folder}`);
  // Debian's Emscripten finds acorn where Debian's node looks for it, which another node does not.
  const modules = [process.env.NODE_PATH, "/usr/share/nodejs"].filter(Boolean).join(":");
  run(EMCC, [...flags, ...include, ...files, ...sources(native), "--no-entry", "--js-library", join(native, "imports.js"),
    ...settings.map((setting) => `-s${setting}`), "-o", join(OUT, "edgeecho.mjs")], { NODE_PATH: modules });
}

async function bundle() {
  const common = { bundle: true, minify: true, target: "es2022", outdir: OUT, legalComments: "none", logLevel: "warning" };
  const out = { ".js": ".mjs" };
  await build({ ...common, format: "esm", outExtension: out, entryPoints: [join(WEB, "src", "page.ts"), join(WEB, "src", "worker.ts")] });
}

// After everything else: the service worker keeps all files, under a name that changes with them.
async function bundleServiceWorker() {
  const files = readdirSync(OUT).sort();
  const digest = createHash("sha256");
  for (const file of files) digest.update(file).update(readFileSync(join(OUT, file)));
  const kept = ["./", ...files.filter((file) => file !== "index.html")];
  const define = { FILES: JSON.stringify(kept), VERSION: JSON.stringify(digest.digest("hex").slice(0, 16)) };
  await build({ bundle: true, minify: true, target: "es2022", format: "iife", outdir: OUT, define, entryPoints: [join(WEB, "src", "service_worker.ts")] });
}

function copyFiles() {
  const style = ["colours", "page", "clinic", "live"].map((name) => readFileSync(join(PAGE, `${name}.css`), "utf8"));
  writeFileSync(join(OUT, "style.css"), [...style, readFileSync(join(WEB, "static", "web.css"), "utf8")].join("\n"));
  for (const name of ["index.html", "icon.svg", "manifest.webmanifest"]) copyFileSync(join(WEB, "static", name), join(OUT, name));
  const models = JSON.parse(readFileSync(join(OUT, "models.json"), "utf8"));
  const wasm = "ort-wasm-simd-threaded.wasm";
  if (models.some(({ engine }) => engine === "onnxruntime")) copyFileSync(join(MODULES, "onnxruntime-web", "dist", wasm), join(OUT, wasm));
}

// Holders of what is under the MIT licence, whose npm packages, if any, contain no licence file.
const MIT = [
  ["onnxruntime-web, onnxruntime-common", "Copyright (c) Microsoft Corporation"],
  ["Emscripten, in edgeecho.mjs and edgeecho.wasm", "Copyright (c) 2010-2014 Emscripten authors"],
  ["musl, in edgeecho.wasm", "Copyright (c) 2005-2020 Rich Felker, et al."],
];

// Licences of the code and of everything that is bundled.
function writeLicences() {
  const section = (title, text) => `${title}\n${"=".repeat(title.length)}\n\n${text.trim()}\n`;
  const file = (...parts) => readFileSync(join(...parts), "utf8");
  const models = readdirSync(OUT).filter((name) => name.endsWith(".edgeecho")).map((name) => name.replace(".edgeecho", ""));
  const hasLicence = (name) => existsSync(join(WEB, "..", "models", name, "LICENSE"));
  const mit = file(WEB, "static", "mit.txt");
  writeFileSync(join(OUT, "licences.txt"), [
    section("EdgeEcho", file(WEB, "..", "LICENSE")),
    ...models.filter(hasLicence).map((name) => section(`Weights of ${name}`, file(WEB, "..", "models", name, "LICENSE"))),
    ...MIT.map(([title, holder]) => section(title, `MIT licence\n${holder}\n\n${mit}`)),
    section("mediabunny", file(MODULES, "mediabunny", "LICENSE")),
  ].join("\n\n"));
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
try {
  compileLibrary();
  run(PYTHON, [join(WEB, "models.py"), OUT, ...MODELS]);
  copyFiles();
  writeLicences();
  await bundle();
  await bundleServiceWorker();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}
rmSync(DIST, { recursive: true, force: true });
renameSync(OUT, DIST);
const bytes = readdirSync(DIST).reduce((sum, file) => sum + statSync(join(DIST, file)).size, 0);
console.log(`web/dist: ${readdirSync(DIST).length} files, ${(bytes / 1e6).toFixed(1)} MB`);
