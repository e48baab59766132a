// @ts-check
/** The one place that says how things stand: progress, what was done, and why something failed, with Retry. */

import { Failure } from "./backend.js";
import { byId, h } from "./dom.js";

/** Sent to the document when something was done, or failed: what it may have changed is worth reading again. */
export const SETTLED = "fake-convai-settled";

/** How long good news stays in sight; it can still be read out after that. */
const STAYS_MS = 6000;

let running = new AbortController();
/** @type {Animation | undefined} */
let fading;

/** @param {string} text */
export function say(text) {
  const status = byId("status");
  fading?.cancel();
  status.className = "";
  status.textContent = text; // empty, it holds no node at all, and is not seen
}

/**
 * Say how far something has come.
 *
 * @param {string} text
 * @param {number} done
 * @param {number} total
 */
export function progress(text, done, total) {
  say(text);
  byId("status").append(h("progress", { value: done, max: Math.max(total, 1), "aria-label": "Progress" }));
}

/** @param {string} text */
function succeed(text) {
  say(text);
  fading = byId("status").animate({ opacity: [1, 0] }, { delay: STAYS_MS, duration: 400, fill: "forwards" });
}

/**
 * @param {string} text
 * @param {() => void} retry
 */
function fail(text, retry) {
  const status = byId("status");
  fading?.cancel();
  status.className = "failed";
  status.replaceChildren(h("span", {}, text), h("button", { onclick: retry }, "Retry"));
}

/** Stop what is going on, such as when another account is chosen. */
export function stop() {
  running.abort();
  say("");
}

/**
 * Do one thing, in place of what was going on before, and say what came of it.
 *
 * @param {string} what what could not be done, should it fail
 * @param {Work} work
 */
export async function attempt(what, work) {
  running.abort();
  const mine = (running = new AbortController());
  try {
    const said = await work(mine.signal);
    if (!mine.signal.aborted) succeed(said ?? "");
  } catch (error) {
    if (!mine.signal.aborted) fail(`${what}: ${/** @type {Error} */ (error).message}`, () => attempt(what, work));
    if (!(error instanceof Failure)) throw error;
  } finally {
    document.dispatchEvent(new Event(SETTLED));
  }
}
