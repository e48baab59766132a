// @ts-check
/** How fast characters answer, and how late what is written appears: the cards below the clock. */

import { count, h, input } from "./dom.js";
import { field, form } from "./form.js";

/** @type {[keyof Pace, string][]} */
const PACE = [
  ["first_token_ms", "First token after ms"],
  ["tokens_per_second", "Tokens a second"],
  ["words_per_minute", "Spoken words a minute"],
  ["jitter", "Jitter, 0 to 1"],
];

/** @type {[keyof Lag, string][]} */
const LAG = [
  ["extraction", "Memory of a session"],
  ["end_users", "New people"],
  ["chat_history", "New sessions"],
];

/**
 * @param {Pace} pace
 * @param {ChangeSetting} set
 */
export function paceCard(pace, set) {
  const change = () => {
    const given = PACE.map(([name]) => [name, input(name).value]).filter(([, value]) => value !== "");
    const body = Object.fromEntries(given.map(([name, value]) => [name, Number(value)]));
    return set("PUT", "/pace", body, "Characters take their time.", "first_token_ms");
  };
  const atOnce = () => set("DELETE", "/pace", undefined, "Characters answer at once.", "clock-title");
  const number = (/** @type {keyof Pace} */ name) =>
    h("input", { id: name, type: "number", step: "any", min: 0, value: pace[name] });
  const words = PACE.filter(([name]) => pace[name] !== undefined).map(([name, label]) => `${label}: ${pace[name]}`);
  return [
    h("h3", {}, "Pace"),
    h("p", { class: words.length === 0 ? "quiet" : "" }, words.join(" · ") || "Characters answer at once."),
    form("Set pace", change, ...PACE.map(([name, label]) => field(label, number(name)))),
    h("div", { class: "toolbar" }, h("button", { disabled: words.length === 0, onclick: atOnce }, "Answer at once")),
  ];
}

/**
 * @param {Lag} lag
 * @param {ChangeSetting} set
 */
export function lagCard(lag, set) {
  const change = () => {
    const parts = LAG.map(([name]) => [name, input(name).value, input(`${name}-unit`).value]);
    const given = parts.filter(([, value]) => value !== "");
    const body = Object.fromEntries(given.map(([name, value, unit]) => [name, { [unit]: Number(value) }]));
    return set("PUT", "/lag", body, "What is written appears later.", "extraction");
  };
  const settle = () => set("POST", "/settle", undefined, "Everything has appeared.", "clock-title");
  const clear = () => set("DELETE", "/lag", undefined, "What is written appears at once.", "clock-title");
  const words = LAG.filter(([name]) => lag[name]).map(([name, label]) => `${label}: after ${late(lag[name])}`);
  return [
    h("h3", {}, "Lag"),
    h("p", { class: words.length === 0 ? "quiet" : "" }, words.join(" · ") || "What is written appears at once."),
    form("Set lag", change, ...LAG.flatMap(([name, label]) => lateFields(name, label, lag[name]))),
    h(
      "div",
      { class: "toolbar" },
      h("button", { onclick: settle }, "Settle now"),
      h("button", { disabled: words.length === 0, onclick: clear }, "No lag"),
    ),
  ];
}

/** @param {Late | undefined} lag */
function late(lag) {
  return lag?.reads === undefined ? count(lag?.seconds ?? 0, "second") : count(lag.reads, "read");
}

/**
 * @param {string} name
 * @param {string} label
 * @param {Late | undefined} lag
 */
function lateFields(name, label, lag) {
  const value = lag?.reads ?? lag?.seconds;
  const option = (/** @type {string} */ unit) =>
    h("option", { value: unit, selected: unit === "reads" && lag?.reads !== undefined }, unit);
  return [
    field(label, h("input", { id: name, type: "number", step: "any", min: 0, value })),
    field(`${label}, in`, h("select", { id: `${name}-unit` }, option("seconds"), option("reads"))),
  ];
}
