/** From dropped files to a cine, by the decoders of the browser. */

import { ALL_FORMATS, BlobSource, Input, type InputVideoTrack, VideoSampleSink } from "mediabunny";

import { isAvi, readAvi } from "./avi";
import { GreyReader } from "./canvas";
import { type Cine, checkSize, timeBase } from "./cine";
import type { Native } from "./native";

const STILL_TYPES = ["image/png", "image/jpeg", "image/bmp", "image/webp"];
const byNumber = new Intl.Collator("en", { numeric: true });

/** Called with the number of frames so far. */
export type Progress = (frames: number) => Promise<void>;

/**
 * Decode a video, or several pictures in the natural order of their names (2.png before 10.png).
 *
 * Throws an error whose message is one line: what is wrong, and what to do.
 */
export async function decode(native: Native, files: File[], progress: Progress): Promise<Cine> {
  const first = files[0];
  if (!first) throw new Error("no file; drop a video, or the frames of a cine as pictures");
  const stills = files.filter((file) => STILL_TYPES.includes(file.type));
  const reader = new GreyReader(native, true);
  if (stills.length === files.length) return decodeStills(reader, stills, progress);
  if (files.length > 1) throw new Error(`${files.length} files that are not all pictures; drop one video at a time`);
  if (await isAvi(first)) return decodeAvi(reader, first, progress);
  return decodeVideo(reader, first, progress);
}

/** Collect frames of one size. */
class Collector {
  readonly frames: Uint8Array<ArrayBuffer>[] = [];
  readonly timesS: number[] = [];
  private width = 0;
  private height = 0;

  constructor(
    private readonly name: string,
    private readonly reader: GreyReader,
    private readonly progress: Progress,
  ) {}

  async add(
    width: number,
    height: number,
    timeS: number,
    draw: (context: OffscreenCanvasRenderingContext2D) => void,
  ): Promise<void> {
    const index = this.frames.length;
    if (index === 0) [this.width, this.height] = [width, height];
    if (width !== this.width || height !== this.height) {
      throw new Error(
        `${this.name}: frame ${index} is ${width}x${height} pixels, frame 0 is ${this.width}x${this.height}; ` +
          "all frames of a cine must have one size",
      );
    }
    checkSize(width, height, index + 1);
    this.frames.push(this.reader.read(width, height, draw));
    this.timesS.push(timeS);
    await this.progress(index + 1);
  }

  cine(base: Pick<Cine, "fps" | "timesS">): Cine {
    if (!this.frames.length) throw new Error(`${this.name}: no frames in it; a cine needs at least one`);
    return { width: this.width, height: this.height, frames: this.frames, ...base };
  }
}

async function decodeStills(reader: GreyReader, files: File[], progress: Progress): Promise<Cine> {
  const sorted = [...files].sort((a, b) => byNumber.compare(a.name, b.name));
  const collector = new Collector(sorted[0]!.name, reader, progress);
  for (const file of sorted) await addPicture(collector, file, file.name, 0);
  return collector.cine({ fps: null, timesS: null });
}

async function addPicture(collector: Collector, picture: Blob, name: string, timeS: number): Promise<void> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(picture, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Error(`${name}: this browser cannot decode the picture; check the file`);
  }
  try {
    await collector.add(bitmap.width, bitmap.height, timeS, (context) => context.drawImage(bitmap, 0, 0));
  } finally {
    bitmap.close();
  }
}

async function decodeAvi(reader: GreyReader, file: File, progress: Progress): Promise<Cine> {
  const collector = new Collector(file.name, reader, progress);
  for (const [index, { picture, timeS }] of (await readAvi(file)).entries()) {
    await addPicture(collector, picture, `${file.name}, frame ${index}`, timeS);
  }
  return collector.cine(timeBase(collector.timesS));
}

async function decodeVideo(reader: GreyReader, file: File, progress: Progress): Promise<Cine> {
  const input = new Input({ formats: ALL_FORMATS, source: new BlobSource(file) });
  try {
    const track = await openTrack(input, file.name);
    const collector = new Collector(file.name, reader, progress);
    for await (const sample of new VideoSampleSink(track).samples()) {
      try {
        const [width, height] = [sample.displayWidth, sample.displayHeight];
        await collector.add(width, height, sample.timestamp, (context) => sample.draw(context, 0, 0, width, height));
      } finally {
        sample.close();
      }
    }
    return collector.cine(timeBase(collector.timesS));
  } finally {
    input.dispose();
  }
}

async function openTrack(input: Input, name: string): Promise<InputVideoTrack> {
  let track: InputVideoTrack | null;
  try {
    track = await input.getPrimaryVideoTrack();
  } catch {
    throw new Error(`${name}: no video that a browser reads; use MP4, MOV, WEBM, MKV, Motion JPEG AVI or PNG frames`);
  }
  if (!track) throw new Error(`${name}: there is no video in it`);
  if (!(await track.canDecode())) {
    throw new Error(`${name}: this browser has no decoder for ${track.codec ?? "its codec"}; convert it to H.264 MP4`);
  }
  return track;
}
