// @ts-check
/** The page: which account, which view. */

import { keys, setKey } from "./backend.js";
import * as accounts from "./accounts.js";
import * as answers from "./answers.js";
import * as characters from "./characters.js";
import * as clock from "./clock.js";
import { startDialog } from "./dialog.js";
import { byId, input } from "./dom.js";
import * as endUsers from "./end_users.js";
import * as journal from "./journal.js";
import * as person from "./person.js";
import * as rooms from "./rooms.js";
import { stop } from "./status.js";
import * as talk from "./talk.js";

/**
 * By the id of its section.
 *
 * @type {Record<string, View>}
 */
const VIEWS = { talk, "end-users": endUsers, person, characters, rooms, journal, clock, answers, accounts };

/** @type {View | null} */
let current = null;

/** Show the view that the address names: `#/` and the id of its section, `#/end-users/<id>` for a person. */
function route() {
  const [section, id] = location.hash.slice(2).split("/");
  const name = nameOf(section, id);
  current?.hide?.();
  stop();
  current = VIEWS[name];
  for (const other of Object.keys(VIEWS)) byId(other).hidden = other !== name;
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav a"))) {
    const here = link.hash === `#/${name}` || (name === "person" && link.hash === "#/end-users");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  current.show(decoded(id ?? ""));
}

/**
 * @param {string} section
 * @param {string | undefined} id
 */
function nameOf(section, id) {
  if (section === "end-users" && id) return "person";
  return section !== "person" && Object.hasOwn(VIEWS, section) ? section : "end-users";
}

/** @param {string} id */
function decoded(id) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // a broken address: nobody has this id
  }
}

/**
 * @param {keyof typeof keys} which
 * @param {string} value
 */
function useKey(which, value) {
  if (value === keys[which]) return;
  setKey(which, value);
  stop();
  for (const view of Object.values(VIEWS)) view.forget();
  route();
}

/** Fill the fields; returns whether the address named an account. */
function startKeys() {
  const address = new URL(location.href);
  const given = address.searchParams.get("key");
  if (given !== null) {
    setKey("api", given.trim());
    address.searchParams.delete("key");
    history.replaceState(null, "", address);
  }
  startField("api", input("api-key"));
  startField("control", input("control-key"));
  return given !== null;
}

/**
 * @param {keyof typeof keys} which
 * @param {HTMLInputElement} field
 */
function startField(which, field) {
  field.value = keys[which];
  field.addEventListener("change", () => useKey(which, field.value.trim()));
}

const named = startKeys();
startDialog();
talk.start();
endUsers.start();
journal.start();
route();
if (named && !byId("end-users").hidden) endUsers.look();
clock.startGlance();
window.addEventListener("hashchange", () => {
  route();
  /** @type {HTMLElement} */ (document.querySelector("main section:not([hidden]) h2")).focus();
});
