/**
 * Motion JPEG in AVI, which browsers do not read: the container is taken apart here, and the browser decodes the JPEGs.
 *
 * Layout: "AVI RIFF File Reference", Microsoft. A file is a RIFF of chunks, each with four characters, its size (uint32,
 * little-endian) and its bytes, padded to an even number; a LIST is a chunk that begins with four characters and holds
 * chunks.
 */

const HEADER_BYTES = 8;
const LIST_BYTES = 12;
/** Most bytes of a file that is read whole. */
const MAX_BYTES = 1e9;

interface Chunk {
  id: string;
  start: number;
  end: number;
}

/** Whether a file begins as an AVI. */
export async function isAvi(file: Blob): Promise<boolean> {
  const bytes = new Uint8Array(await file.slice(0, LIST_BYTES).arrayBuffer());
  return bytes.length === LIST_BYTES && name(bytes, 0) === "RIFF" && name(bytes, HEADER_BYTES) === "AVI ";
}

/** A picture and its place in time: an AVI has a slot for each, empty where the one before stands still. */
export interface Slot {
  picture: Blob;
  timeS: number;
}

/** The JPEGs of the video; throws with one line if it is no Motion JPEG. */
export async function readAvi(file: File): Promise<Slot[]> {
  if (file.size > MAX_BYTES) throw new Error(`${file.name}: larger than ${MAX_BYTES / 1e9} GB; cut the cine shorter`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const all = [...chunks(bytes, view, 0, bytes.length)];
  const header = all.find((chunk) => chunk.id === "strh" && name(bytes, chunk.start) === "vids");
  const format = all.find((chunk) => chunk.id === "strf");
  if (!header || header.end - header.start < 28 || !format || format.end - format.start < 20) {
    throw new Error(`${file.name}: an AVI without a header of its video; it is damaged`);
  }
  const codec = name(bytes, format.start + 16);
  if (!/^[Mm][Jj][Pp][Gg]$/.test(codec)) {
    throw new Error(`${file.name}: an AVI of ${codec.trim() || "raw frames"}; of AVI the page reads Motion JPEG, convert it to MP4`);
  }
  const [scale, rate] = [view.getUint32(header.start + 20, true), view.getUint32(header.start + 24, true)];
  return all
    .filter((chunk) => /^\d\d(dc|db)$/.test(chunk.id))
    .map((chunk, slot) => ({ chunk, timeS: rate ? (slot * scale) / rate : 0 }))
    .filter(({ chunk }) => chunk.end > chunk.start)
    .map(({ chunk, timeS }) => ({ picture: new Blob([bytes.subarray(chunk.start, chunk.end)], { type: "image/jpeg" }), timeS }));
}

/** Chunks that are no lists, in order of the file; what leaves its list is cut. */
function* chunks(bytes: Uint8Array, view: DataView, start: number, end: number): Generator<Chunk> {
  for (let at = start; at + HEADER_BYTES <= end; ) {
    const id = name(bytes, at);
    const from = at + HEADER_BYTES;
    const to = Math.min(end, from + view.getUint32(at + 4, true));
    if (id === "RIFF" || id === "LIST") yield* chunks(bytes, view, Math.min(at + LIST_BYTES, to), to);
    else yield { id, start: from, end: to };
    at = to + ((to - from) % 2);
  }
}

function name(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
