// @ts-check
/** Making elements. Text from data only ever becomes text: nothing here, or anywhere in the page, parses markup. */

import { exactly } from "./displayed.js";

/** @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
export function input(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** @param {string} id */
export function button(id) {
  return /** @type {HTMLButtonElement} */ (byId(id));
}

/**
 * Make an element. `onclick` and its like are listeners, true and false set or leave out an attribute.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} attributes
 * @param {...(Node | string)} children strings become text
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * A list of rows under a name.
 *
 * @param {string} label
 * @param {HTMLElement[]} rows
 */
export function list(label, rows) {
  return h("ul", { class: "card rows", role: "list", "aria-label": label }, ...rows);
}

/**
 * Somebody else's text, kept apart from what stands around it, whatever direction it is written in.
 *
 * @param {string} text
 */
export function quoted(text) {
  return h("bdi", {}, text);
}

/**
 * A moment, in words of one's own or written out.
 *
 * @param {string} iso
 * @param {string} [words]
 */
export function time(iso, words) {
  return h("time", { datetime: iso, title: `${exactly(iso)} UTC` }, words ?? exactly(iso));
}

/**
 * How many there are of something.
 *
 * @param {number} number
 * @param {string} one what one of them is called
 * @param {string} [many]
 */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
