/** A cine that was segmented: its frames are shown again at its rate, or one by one. */

import { get } from "./elements";
import type { Answer, Shape } from "./protocol";

const ASSUMED_FPS = 25;

export class Player {
  readonly answers: Answer[] = [];
  private at = 0;
  private timer = 0;

  /** `show` is called with each frame that is to be seen. */
  constructor(private readonly show: (answer: Answer) => void) {
    get("seek", HTMLInputElement).addEventListener("input", (event) => {
      this.pause();
      this.seek(Number((event.target as HTMLInputElement).value));
    });
    get("play", HTMLButtonElement).addEventListener("click", () => (this.timer ? this.pause() : this.play()));
  }

  private fps = ASSUMED_FPS;

  /** Forget all frames. */
  clear(): void {
    this.pause();
    this.answers.length = this.at = 0;
    this.allow(false);
  }

  /** Play the frames that were added, again and again. */
  begin(shape: Shape): void {
    this.fps = shape.fps ?? ASSUMED_FPS;
    get("seek", HTMLInputElement).max = String(this.answers.length - 1);
    this.allow(true);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
  }

  private allow(isAllowed: boolean): void {
    get("play", HTMLButtonElement).disabled = get("seek", HTMLInputElement).disabled = !isAllowed;
  }

  private play(): void {
    this.pause();
    this.timer = window.setInterval(() => this.seek((this.at + 1) % this.answers.length), 1e3 / this.fps);
    this.tell();
  }

  private pause(): void {
    clearInterval(this.timer);
    this.timer = 0;
    this.tell();
  }

  private tell(): void {
    const button = get("play", HTMLButtonElement);
    button.textContent = this.timer ? "Pause" : "Play";
    button.setAttribute("aria-pressed", String(this.timer !== 0));
  }

  private seek(frame: number): void {
    const answer = this.answers[frame];
    if (!answer) return;
    this.at = frame;
    get("seek", HTMLInputElement).value = String(frame);
    this.show(answer);
  }
}
