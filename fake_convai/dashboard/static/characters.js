// @ts-check
/** The account's characters, and whether they remember. */

import { control, post } from "./backend.js";
import { byId, count, h, input, quoted } from "./dom.js";
import { field, form } from "./form.js";
import { sessionList } from "./sessions.js";
import { attempt, say } from "./status.js";

/** Show them. */
export function show() {
  return attempt("Could not load the characters", async (signal) => {
    say("Loading…");
    await load(signal);
  });
}

/** Drop what was shown: it is another account's. */
export function forget() {
  byId("characters-body").replaceChildren();
}

/** @param {AbortSignal} signal */
async function load(signal) {
  /** @type {State} */
  const state = await control("GET", "/state", signal);
  const cards = state.characters.map((character) => card(character, state));
  const none = h("p", { class: "empty" }, "This account has no characters.");
  byId("characters-body").replaceChildren(...(cards.length === 0 ? [none] : cards), ...creation());
}

function creation() {
  const create = () =>
    attempt("Could not create the character", async (signal) => {
      const charName = input("new-name").value;
      const body = { charName, voiceType: "MALE", backstory: input("new-backstory").value };
      const { charID } = await post("/production/character/create", body, signal);
      if (input("new-memory").checked) {
        await post("/production/character/update", { charID, memorySettings: { enabled: true } }, signal);
      }
      await load(signal);
      byId("new-name").focus();
      return `Created ${charName}.`;
    });
  const memory = h("input", { id: "new-memory", type: "checkbox", role: "switch", checked: true });
  return [
    h("h3", {}, "New character"),
    form(
      "Create character",
      create,
      field("Name", h("input", { id: "new-name", required: true })),
      field("Backstory", h("input", { id: "new-backstory", required: true })),
      h("label", { class: "check" }, memory, " Remembers people"),
    ),
  ];
}

/**
 * @param {Character} character
 * @param {State} state
 */
function card(character, state) {
  const mine = (/** @type {Memory | Session} */ part) => part.character_id === character.character_id;
  const memories = state.memories.filter(mine);
  const sessions = state.sessions.filter(mine).reverse();
  const people = new Set(memories.map((memory) => memory.end_user_id));
  const remembered = `${count(memories.length, "memory", "memories")} of ${count(people.size, "person", "people")}`;
  return h(
    "article",
    { class: "card character" },
    h(
      "div",
      { class: "toolbar" },
      h("h3", {}, quoted(character.character_name)),
      h("span", { class: "tag" }, quoted(character.listing)),
      memorySwitch(character),
    ),
    h("p", { class: "quiet" }, h("code", {}, character.character_id), ` · ${remembered}`),
    sessions.length === 0
      ? h("p", { class: "quiet" }, "No sessions yet.")
      : h("details", {}, h("summary", {}, count(sessions.length, "session")), sessionList(sessions, whom)),
  );
}

/** @param {Session} session */
function whom(session) {
  return session.end_user_id ?? "Anonymous";
}

/** @param {Character} character */
function memorySwitch(character) {
  /** @type {HTMLInputElement} */
  const toggle = h("input", {
    id: `memory-of-${character.character_id}`,
    type: "checkbox",
    role: "switch",
    checked: character.memory_settings.enabled,
    "aria-label": `Memory of ${character.character_name}`,
    onchange: () => setMemory(character, toggle),
  });
  return h("label", { class: "check end" }, "Memory ", toggle);
}

/**
 * @param {Character} character
 * @param {HTMLInputElement} toggle
 */
async function setMemory(character, toggle) {
  const enabled = toggle.checked;
  toggle.checked = !enabled; // until the server has done it
  await attempt("Could not switch the memory", async (signal) => {
    const body = { charID: character.character_id, memorySettings: { enabled } };
    await post("/production/character/update", body, signal);
    toggle.checked = enabled;
    return `Memory of ${character.character_name} is ${enabled ? "on" : "off"}.`;
  });
}
