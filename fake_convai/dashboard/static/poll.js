// @ts-check
/** Reading again and again, for as long as a view is looked at. */

import { say } from "./status.js";

const PAUSE_MS = 1000;

export class Poll {
  /**
   * @param {string} what what could not be done, should it fail
   * @param {(signal: AbortSignal) => Promise<void>} read
   */
  constructor(what, read) {
    this.what = what;
    this.read = read;
    this.running = new AbortController();
  }

  /** Read on, until `stop`. */
  async start() {
    this.stop();
    const { signal } = (this.running = new AbortController());
    for (;;) {
      await pause(signal);
      if (signal.aborted) return;
      try {
        if (!document.hidden) await this.read(signal);
      } catch (error) {
        if (!signal.aborted) say(`${this.what}: ${/** @type {Error} */ (error).message}`);
      }
    }
  }

  /** Read no more: what is being asked is given up too. */
  stop() {
    this.running.abort();
  }
}

/** @param {AbortSignal} signal */
function pause(signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PAUSE_MS);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)));
  });
}
