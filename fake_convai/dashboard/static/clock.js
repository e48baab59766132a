// @ts-check
/** The account's clock and faults: at a glance in the head of every view, and in a view with all that takes time. */

import { control, keys } from "./backend.js";
import { exactly } from "./displayed.js";
import { byId, count, h, input } from "./dom.js";
import { field, form } from "./form.js";
import { SETTLED, attempt } from "./status.js";
import { lagCard, paceCard } from "./timing.js";

const EVERY_MS = 3000;
const MARK = "⚠ ";

/** @type {Clock} */
const REAL_TIME = { now: "", frozen: false, offset: 0 };

let clock = REAL_TIME;
/** @type {Fault[]} */
let faults = [];
let unreadable = false;

/** Keep the glance up to date, while somebody looks. */
export function startGlance() {
  document.addEventListener(SETTLED, readGlance);
  setInterval(() => document.hidden || readGlance(), EVERY_MS);
  readGlance();
}

/** The time by the account's clock, in milliseconds; real time while that is not known. */
export function accountNow() {
  return clock.frozen ? Date.parse(clock.now) : Date.now() + clock.offset * 1000;
}

/** Read clock and faults anew. Never fails: that they cannot be read is said in the glance. */
export async function readGlance() {
  const key = keys.api;
  try {
    const read = key === "" ? nothing() : await readBoth();
    if (key !== keys.api) return; // another account was chosen meanwhile
    ({ clock, faults } = read);
    unreadable = false;
  } catch {
    ({ clock, faults } = nothing());
    unreadable = true;
  }
  renderGlance();
}

/** Show the view. */
export function show() {
  return attempt("Could not read clock and faults", load);
}

/** Drop what was read: it is another account's. */
export function forget() {
  ({ clock, faults } = nothing());
  byId("clock-body").replaceChildren();
  readGlance();
}

/** @returns {{ clock: Clock, faults: Fault[] }} */
function nothing() {
  return { clock: REAL_TIME, faults: [] };
}

/** @param {AbortSignal} [signal] */
async function readBoth(signal) {
  const [now, waiting] = await Promise.all([control("GET", "/clock", signal), control("GET", "/faults", signal)]);
  return { clock: now, faults: waiting.faults };
}

/** @param {AbortSignal} signal */
async function load(signal) {
  const [read, pace, lag] = await Promise.all([
    readBoth(signal),
    control("GET", "/pace", signal),
    control("GET", "/lag", signal),
  ]);
  ({ clock, faults } = read);
  byId("clock-body").replaceChildren(...clockCard(), ...paceCard(pace, set), ...lagCard(lag, set), ...faultsCard());
}

function renderGlance() {
  const badges = glance();
  const text = (/** @type {Iterable<Element>} */ elements) =>
    Array.from(elements, (element) => element.textContent).join("\n");
  // Left alone while nothing changes, so that whoever stands on a badge with the keyboard stays there.
  if (text(badges) !== text(byId("glance").children)) byId("glance").replaceChildren(...badges);
}

function glance() {
  if (keys.api === "") return [];
  if (unreadable) return [badge("Clock and faults unknown", true)];
  return [badge(clockWords(), clockIsSet()), badge(faultWords(), faults.length > 0)];
}

/**
 * @param {string} text
 * @param {boolean} on
 */
function badge(text, on) {
  return h("a", { class: on ? "badge on" : "badge", href: "#/clock" }, on ? MARK + text : text);
}

function clockIsSet() {
  return clock.frozen || clock.offset !== 0;
}

function clockWords() {
  if (clock.frozen) return `Clock frozen at ${exactly(clock.now)}`;
  return clock.offset === 0 ? "Real time" : `Clock shifted by ${shift(clock.offset)}`;
}

function faultWords() {
  return faults.length === 0 ? "No faults" : count(faults.length, "fault");
}

/** @param {number} seconds */
function shift(seconds) {
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? "-" : "+";
  if (size % 86400 === 0) return sign + count(size / 86400, "day");
  return size % 3600 === 0 ? sign + count(size / 3600, "hour") : sign + count(size, "second");
}

function clockCard() {
  const words = clock.frozen ? `${clockWords()} UTC.` : `${clockWords()}. It is ${exactly(clock.now)} UTC.`;
  return [
    h("h3", {}, "Clock"),
    h("p", {}, words),
    freezing(),
    moving(),
    undo("Back to real time", clockIsSet(), "/clock", "The clock runs in real time."),
  ];
}

function freezing() {
  const freeze = () => set("PUT", "/clock", { now: input("freeze-at").value }, "The clock stands still.", "freeze-at");
  const at = h("input", { id: "freeze-at", required: true, value: clock.now.slice(0, 19) + "Z" });
  return form("Freeze", freeze, field("Stand still at (UTC)", at));
}

function moving() {
  const move = () => {
    const advance = Number(input("move-by").value) * Number(input("move-unit").value);
    return set("PUT", "/clock", { advance }, "The clock was moved.", "move-by");
  };
  const units = Object.entries({ minutes: 60, hours: 3600, days: 86400 });
  return form(
    "Move",
    move,
    field("Move by", h("input", { id: "move-by", type: "number", step: "any", value: 1, required: true })),
    field("Unit", h("select", { id: "move-unit" }, ...units.map(([name, value]) => h("option", { value }, name)))),
  );
}

function faultsCard() {
  const none = faults.length === 0;
  return [
    h("h3", {}, "Faults"),
    none
      ? h("p", { class: "quiet" }, "No fault waits for a request of this account.")
      : h("ul", { class: "card rows" }, ...faults.map((fault) => h("li", {}, faultLine(fault)))),
    planting(),
    undo("Clear faults", !none, "/faults", "No fault waits any more."),
  ];
}

function planting() {
  const plant = () => {
    const path = input("fault-path").value;
    const status = input("fault-status").value;
    const fault = {
      match: path === "" ? {} : { path },
      ...(status === "" ? {} : { status: Number(status) }),
      times: input("fault-times").value === "" ? null : Number(input("fault-times").value),
      delay_ms: Number(input("fault-delay").value),
      disconnect: input("fault-disconnect").checked,
    };
    return set("POST", "/faults", fault, "The fault waits.", "fault-path");
  };
  const number = (/** @type {Record<string, unknown>} */ more) => h("input", { type: "number", ...more });
  return form(
    "Plant fault",
    plant,
    field("Path, or any", h("input", { id: "fault-path", pattern: "/.*", placeholder: "/memory/add" })),
    field("Status", number({ id: "fault-status", min: 400, max: 599, value: 429 })),
    field("Delay in ms", number({ id: "fault-delay", min: 0, value: 0 })),
    field("Times, or always", number({ id: "fault-times", min: 1, value: 1 })),
    h("label", { class: "check" }, h("input", { id: "fault-disconnect", type: "checkbox" }), " Cut the connection"),
  );
}

/** @param {Fault} fault */
function faultLine(fault) {
  const does = [
    fault.delay_ms ? `waits ${fault.delay_ms} ms` : "",
    fault.disconnect ? "cuts the connection" : "",
    fault.status ? `answers ${fault.status}` : "",
  ]
    .filter(Boolean)
    .join(", ");
  const where =
    Object.entries(fault.match)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ") || "any request";
  const often = fault.times === null ? "always" : count(fault.times, "time");
  const rate = fault.rate ? ` at a rate of ${fault.rate}` : "";
  const when = fault.when === "after" ? ", after it was done" : "";
  return h("span", {}, h("bdi", {}, where), `: ${does}${when}, ${often}${rate}`);
}

/**
 * @param {string} name
 * @param {boolean} possible
 * @param {string} path
 * @param {string} said
 */
function undo(name, possible, path, said) {
  const work = () => set("DELETE", path, undefined, said, "clock-title");
  return h("div", { class: "toolbar" }, h("button", { disabled: !possible, onclick: work }, name));
}

/**
 * Change something, and show what came of it.
 *
 * @type {ChangeSetting}
 */
function set(method, path, body, said, focus) {
  return attempt("Could not change it", async (signal) => {
    await control(method, path, signal, body);
    await load(signal);
    byId(focus).focus();
    return said;
  });
}
