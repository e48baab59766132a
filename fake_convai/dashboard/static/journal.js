// @ts-check
/** The journal as it grows: every request of the account, with its body, answer and reason. */

import { control } from "./backend.js";
import { byId, count, h, input, quoted, time } from "./dom.js";
import { Poll } from "./poll.js";
import { attempt } from "./status.js";

const PAGE = 100;
const WHAT = "Could not read the journal";
const poll = new Poll(WHAT, load);

/** @type {Entry[]} */
let entries = [];
/** How many requests came before the first of `entries`. */
let dropped = 0;
let limit = PAGE;

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
  return attempt(WHAT, async (signal) => {
    await load(signal);
    follow();
  });
}

/** Read no more. */
export function hide() {
  poll.stop();
}

/** Drop what was read: it is another account's. */
export function forget() {
  hide();
  [entries, dropped, limit] = [[], 0, PAGE];
  byId("entries").replaceChildren();
  render();
}

function follow() {
  if (input("follow").checked) poll.start();
  else poll.stop();
}

/**
 * Read what is new. The newest that is known comes once more: another in its place means that the journal was emptied.
 *
 * @param {AbortSignal} signal
 */
async function load(signal) {
  const known = entries.at(-1);
  const after = known === undefined ? 0 : dropped + entries.length - 1;
  const journal = await control("GET", `/requests?after=${after}`, signal);
  if (entries.at(-1) !== known) return; // somebody else has read on meanwhile
  if (known === undefined) {
    [entries, dropped] = [journal.requests, journal.dropped];
  } else if (JSON.stringify(journal.requests[0]) === JSON.stringify(known)) {
    entries.push(...journal.requests.slice(1));
    entries.splice(0, journal.dropped - dropped);
    dropped = journal.dropped;
  } else {
    [entries, dropped] = [[], 0];
    byId("entries").replaceChildren();
    return load(signal);
  }
  render();
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
  const wanted = input("journal-search").value.trim().toLowerCase();
  const numbered = entries.map((entry, index) => ({ number: String(dropped + index), entry })).reverse();
  const fitting = numbered.filter(({ entry }) => summaryText(entry).toLowerCase().includes(wanted));
  const there = new Map(Array.from(byId("entries").children, (row) => [row.getAttribute("data-number"), row]));
  const rows = fitting.slice(0, limit).map(({ number, entry }) => there.get(number) ?? row(number, entry));
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

/** @param {number} fitting */
function counted(fitting) {
  const all = count(entries.length, "request");
  const gone = dropped === 0 ? "" : ` · ${dropped} older ones were dropped`;
  return (fitting === entries.length ? all : `${fitting} of ${all}`) + gone;
}

/** @param {Entry} entry */
function summaryText(entry) {
  return `${entry.surface} ${entry.method} ${entry.path} ${entry.status}`;
}

/**
 * @param {string} number
 * @param {Entry} entry
 */
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

/** @param {Entry} entry */
function contents(entry) {
  const reasons = entry.explanations.map((one) => `${[one.event, one.with].filter(Boolean).join(" ")}: ${one.because}`);
  return [
    ...part("Body", entry.body),
    ...part("Answer", entry.response),
    ...lines("Reason", reasons),
    ...lines("A stricter server would not take", entry.violations),
    ...lines("Fields that nothing reads", entry.unknown_fields),
    ...(entry.fault ? part("Fault", entry.fault) : []),
  ];
}

/**
 * @param {string} title
 * @param {unknown} value
 */
function part(title, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return [h("h4", {}, title), value === null ? h("p", { class: "quiet" }, "None.") : h("pre", {}, text)];
}

/**
 * @param {string} title
 * @param {string[]} texts
 */
function lines(title, texts) {
  return texts.length === 0 ? [] : [h("h4", {}, title), ...texts.map((text) => h("p", {}, quoted(text)))];
}
