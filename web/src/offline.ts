/** Registration of the service worker, so that the page works without a network. */

import { write } from "./elements";

/** Keep all files of the page in the browser, and say when they are there. */
export async function keepOffline(): Promise<void> {
  if (!("serviceWorker" in navigator)) {
    write("offline", "Works offline only if opened by https or from this device.");
    return;
  }
  try {
    await navigator.serviceWorker.register("service_worker.js");
    await navigator.serviceWorker.ready;
    write("offline", "Works offline.");
  } catch {
    write("offline", "This browser does not keep the page; it needs its server.");
  }
}
