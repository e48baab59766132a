/** The journal as it grows: every request of the account, with its body, answer and reason. */

import { control } from "./backend.js";
import { byId, count, h, quoted, time } from "./dom.js";
import { attempt, say } from "./status.js";

const PAGE = 100;
const PAUSE_MS = 1000;

let entries = [];
/** How many requests came before the first of `entries`. */
let dropped = 0;
let limit = PAGE;
let timer = 0;

/** Make the controls of the journal work. */
export function start() {
  byId("journal-search").addEventListener("input", render);
  byId("follow").addEventListener("change", follow);
  byId("clear-journal").addEventListener("click", clear);
  byId("older").addEventListener("click", () => {
    limit += PAGE;
    render();
  });
}

/** Show it, and go on reading until `hide`. */
export function show() {
  return attempt("Could not read the journal", async (signal) => {
    await load(signal);
    follow();
    return "";
  });
}

/** Read no more. */
export function hide() {
  clearTimeout(timer);
}

/** Drop what was read: it is another account's. */
export function forget() {
  hide();
  [entries, dropped, limit] = [[], 0, PAGE];
  byId("entries").replaceChildren();
  render();
}

function follow() {
  clearTimeout(timer);
  if (byId("follow").checked) timer = setTimeout(readOn, PAUSE_MS);
}

async function readOn() {
  const began = performance.now();
  const mine = timer;
  try {
    if (!document.hidden) await load();
  } catch (error) {
    if (mine === timer) say(`Could not read the journal: ${error.message}`);
  }
  // A long journal takes its time to read: look less often then, so that the server has time for others.
  if (mine === timer && byId("follow").checked) {
    timer = setTimeout(readOn, Math.max(PAUSE_MS, 4 * (performance.now() - began)));
  }
}

async function load(signal) {
  const mine = timer;
  const journal = await control("GET", "/requests", signal);
  if (signal === undefined && mine !== timer) return; // left, or another account's
  if (!continues(journal)) byId("entries").replaceChildren();
  [entries, dropped] = [journal.requests, journal.dropped];
  render();
}

/** Whether this is what was read before, and perhaps more; not so when the journal was emptied since. */
function continues(journal) {
  const before = entries[journal.dropped - dropped];
  return JSON.stringify(before) === JSON.stringify(journal.requests[0]);
}

function clear() {
  return attempt("Could not clear the journal", async (signal) => {
    await control("DELETE", "/requests", signal);
    await load(signal);
    return "Cleared.";
  });
}

/** Newest first. Rows that are there already stay as they are, open or not. */
function render() {
  const wanted = byId("journal-search").value.trim().toLowerCase();
  const numbered = entries.map((entry, index) => [String(dropped + index), entry]).reverse();
  const fitting = numbered.filter(([, entry]) => summaryText(entry).toLowerCase().includes(wanted));
  const there = new Map(Array.from(byId("entries").children, (element) => [element.dataset.number, element]));
  const rows = fitting.slice(0, limit).map(([number, entry]) => there.get(number) ?? row(number, entry));
  // Only what is new is put in: moving a row would close it for a screen reader.
  const kept = new Set(rows);
  for (const element of there.values()) if (!kept.has(element)) element.remove();
  rows.forEach((element, index) => {
    const at = byId("entries").children[index];
    if (at !== element) byId("entries").insertBefore(element, at ?? null);
  });
  byId("entries").hidden = rows.length === 0;
  byId("older").hidden = fitting.length <= limit;
  byId("journal-count").textContent = counted(fitting.length);
}

function counted(fitting) {
  const all = count(entries.length, "request");
  const gone = dropped === 0 ? "" : ` · ${dropped} older ones were dropped`;
  return (fitting === entries.length ? all : `${fitting} of ${all}`) + gone;
}

function summaryText(entry) {
  return `${entry.surface} ${entry.method} ${entry.path} ${entry.status}`;
}

function row(number, entry) {
  const element = h(
    "details",
    { "data-number": number, class: "entry" },
    h(
      "summary",
      {},
      h("span", { class: entry.status < 400 ? "tag on" : "tag bad" }, String(entry.status)),
      h("span", { class: "path" }, `${entry.method} `, quoted(entry.path)),
      ...(entry.fault ? [h("span", { class: "tag bad" }, "Fault")] : []),
      ...(entry.off_surface ? [h("span", { class: "tag" }, "Off surface")] : []),
      h(
        "span",
        { class: "quiet when" },
        `${entry.surface} · `,
        time(entry.at),
        ` · ${entry.duration_ms.toFixed(1)} ms`,
      ),
    ),
  );
  element.addEventListener("toggle", () => element.append(...contents(entry)), { once: true });
  return element;
}

function contents(entry) {
  const reasons = entry.explanations.map((one) => `${one.event} ${one.with}: ${one.because}`);
  return [
    ...part("Body", entry.body),
    ...part("Answer", entry.response),
    ...lines("Reason", reasons),
    ...lines("A stricter server would not take", entry.violations),
    ...lines("Fields that nothing reads", entry.unknown_fields),
    ...(entry.fault ? part("Fault", entry.fault) : []),
  ];
}

function part(title, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return [h("h4", {}, title), value === null ? h("p", { class: "quiet" }, "None.") : h("pre", {}, text)];
}

function lines(title, texts) {
  return texts.length === 0 ? [] : [h("h4", {}, title), ...texts.map((text) => h("p", {}, quoted(text)))];
}
