// @ts-check
/** What characters remember about a person; with what was merged, and why. */

import { post } from "./backend.js";
import { confirmDelete } from "./dialog.js";
import { count, h, list, quoted, time } from "./dom.js";

/**
 * What became of every fact that was added, by the id of the memory it went into. The journal knows.
 *
 * @param {Entry[]} requests the journal's entries of /memory/add and /disconnect
 */
export function history(requests) {
  /** @type {Map<string, Step[]>} */
  const found = new Map();
  for (const { at, body, explanations } of requests.toSorted((one, other) => (one.at < other.at ? -1 : 1))) {
    explanations.forEach(({ event, with: id = "", because, fact }, number) => {
      const step = { at, event, fact: fact ?? body?.memories?.[number] ?? "", because };
      found.set(id, [...(found.get(id) ?? []), step]);
    });
  }
  return found;
}

/**
 * @param {Person} person
 * @param {EndUser} _user
 * @param {Change} change
 */
export function memoriesSection(person, _user, change) {
  const heading = h("h3", {}, "Memories");
  if (person.characters.length === 0) {
    return [heading, h("p", { class: "quiet" }, "This account has no characters that could remember anything.")];
  }
  const remembering = person.characters
    .map((character) => ({
      character,
      memories: person.memories.filter((memory) => memory.character_id === character.character_id),
    }))
    .filter(({ memories }) => memories.length > 0);
  return [
    heading,
    adder(person, change),
    ...(remembering.length === 0 ? [h("p", { class: "quiet" }, "Nobody remembers anything yet.")] : []),
    ...remembering.flatMap(({ character, memories }) => ofCharacter(person, character, memories, change)),
  ];
}

/**
 * @param {Person} person
 * @param {Change} change
 */
function adder(person, change) {
  const option = (/** @type {Character} */ character) =>
    h("option", { value: character.character_id }, character.character_name);
  const character = h(
    "select",
    { id: "memory-character", "aria-label": "Character" },
    ...person.characters.map(option),
  );
  const fact = h("input", { id: "memory-fact", required: true, "aria-label": "New memory", placeholder: "The user …" });
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = { character_id: character.value, end_user_id: person.id, memories: [fact.value] };
    change("Could not add the memory", async (signal) => {
      const [added] = (await post("/beta/memory/add", body, signal)).memories;
      return added.event === "update" ? "Merged with a memory that says the same." : "Added a memory.";
    });
  };
  return h(
    "form",
    { class: "toolbar", onsubmit: add },
    character,
    fact,
    h("button", { id: "memory-add" }, "Add memory"),
  );
}

/**
 * @param {Person} person
 * @param {Character} character
 * @param {Memory[]} memories
 * @param {Change} change
 */
function ofCharacter(person, character, memories, change) {
  const name = character.character_name;
  const partition = { character_id: character.character_id, end_user_id: person.id };
  const removeAll = async () => {
    const sure = await confirmDelete(
      `Delete ${count(memories.length, "memory", "memories")}?`,
      `All that ${name} remembers about this person will be gone; the end user stays. This cannot be undone.`,
    );
    if (!sure) return;
    await change("Could not delete the memories", async (signal) => {
      await post("/beta/memory/delete-all", partition, signal);
      return "Deleted the memories.";
    });
  };
  const remove = (/** @type {Memory} */ memory) =>
    change("Could not delete the memory", async (signal) => {
      await post("/beta/memory/delete", { ...partition, memory_id: memory.id }, signal);
      return "Deleted the memory.";
    });
  const row = (/** @type {Memory} */ memory) => item(memory, person.history.get(memory.id) ?? [], () => remove(memory));
  return [
    h(
      "div",
      { class: "toolbar" },
      h("h4", {}, quoted(name)),
      h("span", { class: "quiet" }, count(memories.length, "memory", "memories")),
      h(
        "button",
        { class: "danger end", "aria-label": `Delete all memories of ${name}`, onclick: removeAll },
        "Delete all",
      ),
    ),
    list(`Memories of ${name}`, memories.map(row)),
  ];
}

/**
 * @param {Memory} memory
 * @param {Step[]} steps
 * @param {() => void} remove
 */
function item(memory, steps, remove) {
  const changed = memory.updated_at === memory.created_at ? [] : [" · changed ", time(memory.updated_at)];
  const metadata = Object.keys(memory.metadata).length === 0 ? [] : [h("code", {}, JSON.stringify(memory.metadata))];
  return h(
    "li",
    { class: "memory" },
    h(
      "div",
      { class: "grow" },
      h("p", {}, quoted(memory.memory)),
      h("p", { class: "quiet" }, "since ", time(memory.created_at), ...changed),
      ...metadata,
      ...(steps.some((step) => step.event === "update") ? [merged(steps)] : []),
    ),
    h("button", { class: "danger", "aria-label": `Delete memory: ${memory.memory}`, onclick: remove }, "Delete"),
  );
}

/** @param {Step[]} steps */
function merged(steps) {
  const line = (/** @type {Step} */ step) =>
    h(
      "li",
      {},
      time(step.at),
      step.event === "update" ? " merged " : " added ",
      h("q", {}, quoted(step.fact)),
      `: ${step.because}`,
    );
  return h(
    "details",
    {},
    h("summary", {}, `Merged from ${count(steps.length, "fact")}`),
    h("ol", {}, ...steps.map(line)),
  );
}
