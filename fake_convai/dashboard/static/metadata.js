// @ts-check
/** A person's metadata, key by key. */

import { post } from "./backend.js";
import { h } from "./dom.js";

/** @typedef {(patch: Record<string, unknown>, said: string) => Promise<void>} Save */

/**
 * @param {Person} person
 * @param {EndUser} user
 * @param {Change} change
 */
export function metadataSection(person, user, change) {
  /** @type {Save} */
  const save = (patch, said) =>
    change("Could not change the metadata", async (signal) => {
      await post("/beta/user/end-users/update", { end_user_id: person.id, end_user_metadata: patch }, signal);
      return said;
    });
  const entries = Object.entries(user.end_user_metadata);
  return [
    h("h3", {}, "Metadata"),
    h(
      "div",
      { class: "card rows" },
      ...entries.map(([key, value], number) => editor(key, value, number, save)),
      adder(save),
    ),
  ];
}

/**
 * @param {string} key
 * @param {unknown} value
 * @param {number} number
 * @param {Save} save
 */
function editor(key, value, number, save) {
  const id = `metadata-${number}`;
  const text = h("input", { id, value: typeof value === "string" ? value : JSON.stringify(value) });
  const json = jsonBox(key, typeof value !== "string");
  return h(
    "form",
    { class: "pair", onsubmit: submits(text, json, (read) => save({ [key]: read }, `Saved ${key}.`)) },
    h("label", { for: id }, h("bdi", {}, key)),
    text,
    json.label,
    h("button", { id: `${id}-save`, "aria-label": `Save ${key}` }, "Save"),
    h(
      "button",
      { type: "button", "aria-label": `Remove ${key}`, onclick: () => save({ [key]: null }, `Removed ${key}.`) },
      "Remove",
    ),
  );
}

/** @param {Save} save */
function adder(save) {
  const key = h("input", { id: "metadata-new-key", required: true, "aria-label": "New key", placeholder: "New key" });
  const text = h("input", { "aria-label": "New value", placeholder: "Value" });
  const json = jsonBox("new value", false);
  return h(
    "form",
    { class: "pair", onsubmit: submits(text, json, (read) => save({ [key.value]: read }, `Added ${key.value}.`)) },
    key,
    text,
    json.label,
    h("button", { id: "metadata-add" }, "Add key"),
  );
}

/**
 * Whether a text is meant as JSON, such as 3 or true or a list, and not as the text itself.
 *
 * @param {string} of
 * @param {boolean} checked
 */
function jsonBox(of, checked) {
  const box = h("input", { type: "checkbox", checked, "aria-label": `${of} is JSON` });
  return { box, label: h("label", { class: "check" }, box, " JSON") };
}

/**
 * @param {HTMLInputElement} text
 * @param {{ box: HTMLInputElement }} json
 * @param {(value: unknown) => void} save
 */
function submits(text, json, save) {
  text.addEventListener("input", () => text.setCustomValidity(""));
  return (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      save(json.box.checked ? JSON.parse(text.value) : text.value);
    } catch {
      text.setCustomValidity("This is not JSON. Untick JSON to store it as text.");
      text.reportValidity();
    }
  };
}
