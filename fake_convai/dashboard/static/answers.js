// @ts-check
/** What characters are told to say, and which answers stand in for the fake's own. */

import { control } from "./backend.js";
import { byId, h, input, list, quoted } from "./dom.js";
import { field, form } from "./form.js";
import { attempt } from "./status.js";

/** @type {Replies} */
let script = { replies: [], default: null };
/** @type {Stub[]} */
let stubs = [];

/** Show the view. */
export function show() {
  return attempt("Could not read replies and stubs", load);
}

/** Drop what was read: it is another account's. */
export function forget() {
  byId("answers-body").replaceChildren();
}

/** @param {AbortSignal} signal */
async function load(signal) {
  const [replies, answers] = await Promise.all([control("GET", "/replies", signal), control("GET", "/stubs", signal)]);
  [script, stubs] = [replies, answers.stubs];
  byId("answers-body").replaceChildren(...repliesPart(), ...stubsPart());
}

/**
 * Set one of the two anew.
 *
 * @param {string} path
 * @param {unknown} body
 * @param {string} said
 * @param {string} [focus] the id of what has the focus then
 */
function put(path, body, said, focus = "answers-title") {
  return attempt("Could not change it", async (signal) => {
    await control("PUT", path, signal, body);
    await load(signal);
    byId(focus).focus();
    return said;
  });
}

function repliesPart() {
  const without = (/** @type {Reply} */ reply) => ({
    ...script,
    replies: script.replies.filter((one) => one !== reply),
  });
  const row = (/** @type {Reply} */ reply) =>
    removable(
      `Remove reply: ${reply.match}`,
      () => put("/replies", without(reply), "Removed the reply."),
      h("p", { class: "quiet" }, "When somebody says ", h("q", {}, quoted(reply.match))),
      h("p", {}, quoted(answerOf(reply))),
    );
  return [
    h("h3", {}, "Replies"),
    h("p", { class: "quiet" }, "The first that fits decides, as plain text or as a regular expression."),
    rowsOr("Replies", script.replies.map(row)),
    replyForm(),
    defaultForm(),
  ];
}

/** @param {Reply} reply */
function answerOf({ match: _, reply, replies, ...more }) {
  const said = reply ?? replies?.join(" / ") ?? "";
  return [said, Object.keys(more).length === 0 ? "" : JSON.stringify(more)].filter(Boolean).join(" ");
}

function replyForm() {
  const add = () => {
    const reply = { match: input("reply-match").value, reply: input("reply-text").value };
    return put("/replies", { ...script, replies: [reply, ...script.replies] }, "Added the reply.", "reply-match");
  };
  return form(
    "Add reply",
    add,
    field("When somebody says", h("input", { id: "reply-match", required: true, placeholder: "hello|good morning" })),
    field("the character answers", h("input", { id: "reply-text", required: true, placeholder: "Welcome!" })),
  );
}

function defaultForm() {
  const save = () => {
    const words = input("reply-default").value;
    return put("/replies", { ...script, default: words === "" ? null : words }, "Saved.", "reply-default");
  };
  const words = h("input", { id: "reply-default", value: script.default ?? "" });
  return form("Save", save, field("and when nothing fits", words));
}

function stubsPart() {
  const without = (/** @type {Stub} */ stub) => ({ stubs: stubs.filter((one) => one !== stub) });
  const row = (/** @type {Stub} */ stub) => {
    const { method = "Any method", path, surface, body } = stub.match;
    const given = [surface, body === undefined ? "" : JSON.stringify(body)].filter(Boolean).join(" · ");
    return removable(
      `Remove stub: ${path}`,
      () => put("/stubs", without(stub), "Removed the stub."),
      h("p", {}, `${method} `, h("code", {}, quoted(path)), h("span", { class: "quiet" }, given && ` · ${given}`)),
      h("p", { class: "quiet" }, quoted(`answers ${stub.status ?? 200} ${contentOf(stub)}`)),
    );
  };
  return [
    h("h3", {}, "Stubs"),
    h("p", { class: "quiet" }, "Answers of your own for any route, such as one that the fake does not emulate."),
    rowsOr("Stubs", stubs.map(row)),
    stubForm(),
  ];
}

/** @param {Stub} stub */
function contentOf({ body, text, base64 }) {
  return text ?? (base64 === undefined ? JSON.stringify(body ?? null) : "with bytes").slice(0, 200);
}

function stubForm() {
  const add = () => {
    const match = { path: input("stub-path").value, method: input("stub-method").value };
    const stub = { match, status: Number(input("stub-status").value), ...contentFrom(input("stub-content").value) };
    return put("/stubs", { stubs: [stub, ...stubs] }, "Added the stub.", "stub-path");
  };
  const methods = ["POST", "GET", "PUT", "DELETE"].map((method) => h("option", {}, method));
  return form(
    "Add stub",
    add,
    field("Method", h("select", { id: "stub-method" }, ...methods)),
    field("Path", h("input", { id: "stub-path", required: true, pattern: "/.*", placeholder: "/tts" })),
    field("Status", h("input", { id: "stub-status", type: "number", min: 200, max: 599, value: 200, required: true })),
    field("JSON or text", h("input", { id: "stub-content", placeholder: '{"voices": []}' })),
  );
}

/** @param {string} content */
function contentFrom(content) {
  try {
    return { body: JSON.parse(content) };
  } catch {
    return { text: content };
  }
}

/**
 * @param {string} label
 * @param {HTMLElement[]} rows
 */
function rowsOr(label, rows) {
  return rows.length === 0 ? h("p", { class: "empty small" }, "None.") : list(label, rows);
}

/**
 * @param {string} label
 * @param {() => void} onclick
 * @param {...HTMLElement} children
 */
function removable(label, onclick, ...children) {
  const button = h("button", { class: "danger", "aria-label": label, onclick }, "Remove");
  return h("li", { class: "memory" }, h("div", { class: "grow" }, ...children), button);
}
