/** The worker: decodes, segments and measures, one job at a time, so that the page stays responsive. */

import { CineJob } from "./cine_job";
import { Model } from "./library";
import { LiveJob } from "./live_job";
import { loadNative, type Native } from "./native";
import type { Order, Report } from "./protocol";

interface Scope {
  postMessage(report: Report, transfer: Transferable[]): void;
  onmessage: (event: MessageEvent<Order>) => void;
}

/** A job that another order has ended. */
class StoppedError extends Error {}

const scope = self as unknown as Scope;
let native: Native | null = null;
let model: Model | null = null;
let job = 0;
let cine: CineJob | null = null;
let live: LiveJob | null = null;
let queue = Promise.resolve();

function tell(report: Report, transfer: Transferable[] = []): void {
  scope.postMessage(report, transfer);
}

/** Let messages in; throws if the job is no longer the newest. */
async function pause(own: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      resolve();
    };
    channel.port2.postMessage(null);
  });
  if (own !== job) throw new StoppedError();
}

function opened(): { native: Native; model: Model } {
  if (!native || !model) throw new Error("no model is open");
  return { native, model };
}

async function open(base: string, file: string): Promise<void> {
  native ??= await loadNative(base);
  const response = await fetch(`${base}${file}`);
  if (!response.ok) throw new Error(`${file}: the server answers ${response.status}; build the page again (make web)`);
  const next = await Model.open(native, new Uint8Array(await response.arrayBuffer()));
  model?.close();
  model = next;
  const isProven = await next.selftest();
  tell({ said: "open", info: next.info, isProven });
}

function stop(): void {
  live?.end();
  live = null;
  cine = null;
}

async function follow(own: number, order: Order): Promise<void> {
  switch (order.do) {
    case "open":
      stop();
      return open(order.base, order.file);
    case "cine":
      stop();
      cine = new CineJob(opened().native, opened().model, order.stated, tell, () => pause(own));
      return cine.run(order.files);
    case "live":
      stop();
      live = new LiveJob(opened().native, opened().model, order.stated, tell);
      return;
    case "push":
      try {
        await live?.push(order.frame, order.timeS);
      } finally {
        order.frame.close();
      }
      return;
    case "stop":
      return stop();
    case "masks": {
      if (!cine) throw new Error("there are no masks to save; drop a cine first");
      const file = cine.masks();
      tell({ said: "masks", npy: file }, [file.buffer]);
    }
  }
}

scope.onmessage = ({ data: order }) => {
  if (order.do !== "push" && order.do !== "masks") job += 1;
  const own = job;
  queue = queue.then(() => follow(own, order)).catch((error: unknown) => {
    if (error instanceof StoppedError) return;
    const message = error instanceof Error ? error.message : String(error);
    tell({ said: "failed", message: message.replace(/\s+/g, " ") });
  });
};
