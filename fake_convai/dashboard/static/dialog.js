// @ts-check
/** Asking before something is gone for good. */

import { byId } from "./dom.js";

/**
 * Ask in the dialog; resolves to whether Delete was chosen.
 *
 * @param {string} title names what will be deleted
 * @param {string} text says what that means
 * @returns {Promise<boolean>}
 */
export function confirmDelete(title, text) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("dialog"));
  byId("dialog-title").textContent = title;
  byId("dialog-text").textContent = text;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}

/** Make the buttons of the dialog work. */
export function startDialog() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("dialog"));
  byId("dialog-cancel").addEventListener("click", () => dialog.close(""));
  byId("dialog-confirm").addEventListener("click", () => dialog.close("delete"));
}
