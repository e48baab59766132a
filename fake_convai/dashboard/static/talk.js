// @ts-check
/** Talking to a character, over the same WebSocket as an app: the reply as it comes, and what is remembered of it. */

import { Failure, control, keys, post } from "./backend.js";
import { byId, button, count, h, input, quoted } from "./dom.js";
import { eventRow } from "./events.js";
import { openSession } from "./live.js";
import { memoriesOf, remembered } from "./remembered.js";
import { attempt } from "./status.js";

const MOST_EVENTS = 300;
const TRY = ["My name is Alex and I am allergic to peanuts.", "What is my name?", "What am I allergic to?"];

/** @type {Character[]} */
let characters = [];
/** @type {import("./live.js").Live | null} */
let live = null;
/** Whether a session is being opened: another word must not open a second one. */
let connecting = false;
/**
 * The line of the character that is being said.
 *
 * @type {HTMLElement | null}
 */
let line = null;

/** Make the controls work. */
export function start() {
  byId("talk-form").addEventListener("submit", (event) => {
    event.preventDefault();
    say(input("talk-text").value);
  });
  byId("talk-who").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["talk-person", "talk-character"]) byId(id).addEventListener("change", showMemories);
  byId("talk-end").addEventListener("click", end);
  byId("talk-hints").append(
    ...TRY.map((text) => h("button", { type: "button", class: "chip", onclick: () => say(text) }, text)),
  );
}

/** Show it. A session goes on while other views are looked at. */
export function show() {
  if (live !== null) return;
  return attempt("Could not load the characters", async (signal) => {
    if (keys.api === "") return renderChoice([]);
    /** @type {State} */
    const state = await control("GET", "/state?parts=characters,end_users", signal);
    ({ characters } = state);
    renderChoice(state.end_users);
    if (characters.length > 0) await loadMemories(signal);
  });
}

/** Drop everything: it is another account's. */
export function forget() {
  live?.close();
  [live, line, characters] = [null, null, []];
  input("talk-person").value = "";
  for (const id of ["talk-character", "talk-log", "talk-events", "talk-memories"]) byId(id).replaceChildren();
  renderSession();
}

function person() {
  return input("talk-person").value.trim();
}

function character() {
  return characters.find((one) => one.character_id === input("talk-character").value) ?? characters[0];
}

/** @param {EndUser[]} people */
function renderChoice(people) {
  const chosen = input("talk-character").value;
  const option = (/** @type {Character} */ one) =>
    h("option", { value: one.character_id, selected: one.character_id === chosen }, one.character_name);
  byId("talk-character").replaceChildren(...characters.map(option));
  byId("talk-people").replaceChildren(
    ...people.map((one) => h("option", { value: one.end_user_id }, String(one.end_user_metadata.name ?? ""))),
  );
  if (person() === "") input("talk-person").value = people[0]?.end_user_id ?? "";
  byId("talk-none").hidden = characters.length > 0;
  byId("talk-body").hidden = characters.length === 0;
}

function renderSession() {
  for (const id of ["talk-person", "talk-character"]) input(id).disabled = live !== null;
  button("talk-end").disabled = live === null;
}

/** @param {string} text */
async function say(text) {
  if (text.trim() === "" || characters.length === 0 || connecting) return;
  await attempt("Could not talk", async (signal) => {
    live ??= await connect(signal);
    byId("talk-hints").hidden = true;
    input("talk-text").value = "";
    bubble("you", text);
    live.send("user_text_message", { text });
  });
  byId("talk-text").focus();
}

/** @param {AbortSignal} signal */
async function connect(signal) {
  const { character_id, character_name } = character();
  const body = { character_id, end_user_id: person() || undefined, transport: "websocket" };
  connecting = true;
  try {
    const opened = await openSession(await post("/live/connect", body, signal), { heard, closed });
    if (signal.aborted) {
      opened.close();
      throw new Failure("Another account was chosen.");
    }
    live = opened;
  } finally {
    connecting = false;
  }
  byId("talk-events").replaceChildren();
  note(`A session with ${character_name} began${person() === "" ? ", for nobody in particular" : ""}.`);
  renderSession();
  return live;
}

/**
 * @param {"client" | "server"} from
 * @param {any} message
 */
function heard(from, message) {
  const events = byId("talk-events");
  events.append(eventRow(from, message));
  if (events.childElementCount > MOST_EVENTS) events.firstElementChild?.remove();
  events.scrollTop = events.scrollHeight;
  if (from === "client") return;
  if (message.type === "bot-llm-started") line = bubble("character", "");
  else if (message.type === "bot-llm-text") line?.append(message.data.text);
  else if (message.type === "bot-llm-stopped") finishLine();
  else if (message.type === "server-response" && message.status === "error") note(message.message);
  else if (message.type === "error") note(message.data?.error ?? "An error without words.");
  byId("talk-log").scrollTop = byId("talk-log").scrollHeight;
}

function finishLine() {
  line?.removeAttribute("aria-busy"); // now it is read out, as a whole
  if (line?.textContent === "") line.parentElement?.remove();
  line = null;
}

/**
 * The connection is gone without having been told to.
 *
 * @param {string} reason
 */
function closed(reason) {
  finishLine();
  live = null;
  renderSession();
  note(`The session was closed: ${reason}`);
  showMemories();
}

function end() {
  const ending = live;
  if (ending === null) return;
  return attempt("Could not end the session", async (signal) => {
    const session = encodeURIComponent(ending.connected.session_id);
    ending.leave(); // what comes now is the end that was asked for
    await post(`/live/disconnect?session_id=${session}`, undefined, signal);
    ending.close();
    finishLine();
    live = null;
    renderSession();
    const journal = await control("GET", "/requests?path=/disconnect", signal);
    const { explanations } = journal.requests.findLast(
      (/** @type {Entry} */ entry) => entry.body?.session_id === ending.connected.session_id,
    ) ?? { explanations: [] };
    await loadMemories(signal, explanations);
    note(`The session has ended. ${outcome(explanations.length)}`);
    byId("talk-hints").hidden = false;
    byId("talk-memories-title").focus();
  });
}

/** @param {number} facts */
function outcome(facts) {
  const name = character().character_name;
  if (person() === "") return "It was nobody's in particular, so nothing is remembered.";
  if (!character().memory_settings.enabled) return `The memory of ${name} is off, so nothing is remembered.`;
  if (facts === 0) return "Nothing in what you said was understood as a lasting fact.";
  return `${name} remembers ${count(facts, "thing")} from it: see the memories, and why.`;
}

function showMemories() {
  if (characters.length === 0) return;
  return attempt("Could not load the memories", loadMemories);
}

/**
 * @param {AbortSignal} signal
 * @param {Entry["explanations"]} [explanations]
 */
async function loadMemories(signal, explanations = []) {
  const memories = await memoriesOf(person(), character(), signal);
  byId("talk-memories").replaceChildren(...remembered(memories, person(), character(), explanations));
}

/**
 * @param {"you" | "character"} who
 * @param {string} text
 */
function bubble(who, text) {
  const name = who === "you" ? person() || "You" : character().character_name;
  const said = h("span", { "aria-busy": who === "character" && "true" }, text);
  const element = h("p", { class: `bubble ${who}` }, h("span", { class: "speaker" }, quoted(name)), said);
  byId("talk-log").append(element);
  byId("talk-log").scrollTop = byId("talk-log").scrollHeight;
  return said;
}

/** @param {string} text */
function note(text) {
  byId("talk-log").append(h("p", { class: "note" }, text));
  byId("talk-log").scrollTop = byId("talk-log").scrollHeight;
}
