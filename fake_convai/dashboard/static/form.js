// @ts-check
/** What forms are made of. */

import { h } from "./dom.js";

/**
 * A control under its label; the control has an id.
 *
 * @param {string} label
 * @param {HTMLElement} control
 */
export function field(label, control) {
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

/**
 * What a form does instead of leaving the page.
 *
 * @param {() => void} work
 */
export function submits(work) {
  return (/** @type {Event} */ event) => {
    event.preventDefault();
    work();
  };
}
