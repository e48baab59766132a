// @ts-check
/** What a character remembers of a person, with what a session has just left and why. */

import { control } from "./backend.js";
import { h, list, quoted } from "./dom.js";

/**
 * @param {string} person
 * @param {Character} character
 * @param {AbortSignal} signal
 * @returns {Promise<Memory[]>}
 */
export async function memoriesOf(person, character, signal) {
  if (person === "") return [];
  const query = `parts=memories&end_user_id=${encodeURIComponent(person)}`;
  /** @type {State} */
  const { memories } = await control("GET", `/state?${query}`, signal);
  return memories.filter((memory) => memory.character_id === character.character_id);
}

/**
 * @param {Memory[]} memories
 * @param {string} person
 * @param {Character} character
 * @param {Entry["explanations"]} explanations of the facts that were added last
 */
export function remembered(memories, person, character, explanations) {
  const off = character.memory_settings.enabled
    ? []
    : [h("p", { class: "empty small" }, "Its memory is off. ", h("a", { href: "#/characters" }, "Switch it on"), ".")];
  if (memories.length === 0) {
    const why = person === "" ? "Of nobody in particular nothing is remembered." : "Nothing is remembered yet.";
    return [...off, h("p", { class: "quiet" }, why)];
  }
  const reasons = new Map(explanations.map((one) => [one.with, one]));
  // What is new first: that is what one looks for.
  const sorted = memories.toSorted((one, other) => Number(reasons.has(other.id)) - Number(reasons.has(one.id)));
  const rows = sorted.map((memory) => row(memory, reasons.get(memory.id)));
  return [...off, list("What is remembered", rows)];
}

/**
 * @param {Memory} memory
 * @param {Entry["explanations"][number]} [reason]
 */
function row(memory, reason) {
  if (reason === undefined) return h("li", {}, quoted(memory.memory));
  const tag = h("span", { class: "tag on" }, reason.event === "add" ? "New" : "Updated");
  return h(
    "li",
    { class: "fresh" },
    h("p", {}, tag, " ", quoted(memory.memory)),
    h("p", { class: "quiet" }, `Why: ${reason.because}.`),
  );
}
