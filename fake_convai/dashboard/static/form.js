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
 * Fields, and a button that does the work instead of leaving the page.
 *
 * @param {string} button
 * @param {() => void} work
 * @param {...HTMLElement} fields
 */
export function form(button, work, ...fields) {
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    work();
  };
  return h("form", { class: "fields", onsubmit }, ...fields, h("button", {}, button));
}
