/** Frames of a camera, each with its time. One is on its way at most; others are left out and counted. */

/** Takes a frame and its time in seconds. */
export type Take = (frame: ImageBitmap, timeS: number) => void;

const LOST_MS = 2000;

export class Camera {
  /** Frames that came while another was at work. */
  leftOut = 0;
  private stream: MediaStream | null = null;
  private readonly video = document.createElement("video");
  private isBusy = false;
  private isOpen = false;
  private watch = 0;

  /** Take frames by `take`; `lost` is called with one line when the camera gives none any more. */
  constructor(
    private readonly take: Take,
    private readonly lost: (message: string) => void,
  ) {
    this.video.muted = true;
    this.video.playsInline = true;
  }

  /** Open the camera, and return its rate; throws with one line if there is none, or it is not allowed. */
  async open(): Promise<number | null> {
    if (!navigator.mediaDevices) throw new Error("no camera here: open the page by https or from this device");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
    } catch (error) {
      const why = error instanceof DOMException && error.name === "NotAllowedError" ? "is not allowed" : "cannot be opened";
      throw new Error(`the camera ${why}; connect it, and allow it for this page`);
    }
    const track = this.stream.getVideoTracks()[0]!;
    track.onended = () => this.lost("the camera gives no frames any more; connect it and open it again");
    this.isOpen = true;
    this.video.srcObject = this.stream;
    await this.video.play();
    this.next();
    return track.getSettings().frameRate ?? null;
  }

  /** The frame that was taken is done: take the next one. */
  ready(): void {
    this.isBusy = false;
  }

  close(): void {
    this.isOpen = false;
    this.isBusy = false;
    this.leftOut = 0;
    clearTimeout(this.watch);
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.stream = null;
    this.video.srcObject = null;
  }

  private next(): void {
    if (!this.isOpen) return;
    clearTimeout(this.watch);
    this.watch = window.setTimeout(() => this.lost("the camera gives no frames; check its connection"), LOST_MS);
    this.video.requestVideoFrameCallback((now, metadata) => {
      void this.give((metadata.captureTime ?? now) / 1e3);
      this.next();
    });
  }

  private async give(timeS: number): Promise<void> {
    if (this.isBusy) {
      this.leftOut += 1;
      return;
    }
    this.isBusy = true;
    try {
      const frame = await createImageBitmap(this.video);
      if (this.isOpen) this.take(frame, timeS);
      else frame.close();
    } catch {
      this.isBusy = false; // the video has no picture yet
    }
  }
}
