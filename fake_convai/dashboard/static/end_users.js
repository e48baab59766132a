// @ts-check
/** The list of end users, as in the Long-Term Memory tab of Convai's Unity editor. */

import { control, post } from "./backend.js";
import { accountNow, readGlance } from "./clock.js";
import { confirmDelete } from "./dialog.js";
import { displayName, lastActive, shortId } from "./displayed.js";
import { button, byId, count, h, input, quoted, time } from "./dom.js";
import { PAGE_ROWS, Roster } from "./roster.js";
import { attempt, progress } from "./status.js";

/** Records a request, as many as the original asks for. */
const LIMIT = 200;
const EVERY = 25;
const FIRST = "Nothing is loaded by itself: choose an account with its key, then press Refresh.";

/**
 * What was loaded; null before that.
 *
 * @type {Roster | null}
 */
let roster = null;

/** Make the controls of the list work. */
export function start() {
  byId("refresh").addEventListener("click", refresh);
  byId("delete").addEventListener("click", deleteSelected);
  byId("select-all").addEventListener("click", () => change((loaded) => loaded.toggleAll()));
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  byId("search").addEventListener("input", () => change((loaded) => loaded.search(input("search").value)));
  byId("rows").addEventListener("change", ({ target }) => {
    const box = /** @type {HTMLInputElement} */ (target);
    roster?.select(box.value, box.checked);
    renderTools();
  });
  render();
}

/** Show what was loaded; nothing is loaded for this. */
export function show() {
  render();
}

/** Drop what was loaded: it is another account's. */
export function forget() {
  roster = null;
  render();
}

/**
 * Drop one end user, who was deleted elsewhere on the page.
 *
 * @param {string} id
 */
export function forgetOne(id) {
  roster?.remove(new Set([id]));
}

/** Load the list without a trace, unlike `refresh`, which walks it as an app does. */
export function look() {
  return load(async (signal) => (await control("GET", "/state?parts=end_users", signal)).end_users);
}

function refresh() {
  return load(loadAll);
}

/** @param {(signal: AbortSignal) => Promise<EndUser[]>} read */
function load(read) {
  return attempt("Could not load the end users", async (signal) => {
    progress("Loading…", 0, 1);
    await readGlance();
    const users = await read(signal);
    const before = roster;
    roster = new Roster(users, (user) => displayName(user, accountNow()));
    roster.search(input("search").value);
    for (const { end_user_id } of users) roster.select(end_user_id, before?.selected.has(end_user_id) ?? false);
    render();
    return `${count(users.length, "end user")} loaded.`;
  });
}

/** @param {AbortSignal} signal */
async function loadAll(signal) {
  /** @type {EndUser[]} */
  const users = [];
  let cursor;
  do {
    const page = await post("/beta/user/end-users/list", { limit: LIMIT, cursor }, signal);
    users.push(...page.end_users);
    cursor = page.has_more ? page.next_cursor : undefined;
    progress(`Loading… ${users.length} of ${page.total_count}`, users.length, page.total_count);
  } while (cursor !== undefined);
  return users;
}

async function deleteSelected() {
  if (roster === null) return;
  const { size } = roster.selected;
  const hidden = roster.hiddenSelected;
  const sure = await confirmDelete(
    `Delete ${count(size, "end user")}?`,
    `${size === 1 ? "The record" : "The records"} and everything that every character remembers about ` +
      `${size === 1 ? "this person" : "these people"} will be gone. This cannot be undone.` +
      (hidden > 0 ? ` ${hidden} of them ${hidden === 1 ? "is" : "are"} hidden by your search.` : ""),
  );
  if (sure) await attempt("Could not delete all", removeSelected);
  byId("refresh").focus();
}

/** @type {Work} */
async function removeSelected(signal) {
  const wanted = [...(roster?.selected ?? [])];
  /** @type {Set<string>} */
  const gone = new Set();
  try {
    for (const id of wanted) {
      if (gone.size % EVERY === 0) progress(`Deleting… ${gone.size} of ${wanted.length}`, gone.size, wanted.length);
      await post("/beta/user/end-users/delete", { end_user_id: id }, signal);
      gone.add(id);
    }
  } finally {
    if (!signal.aborted) change((loaded) => loaded.remove(gone));
  }
  return `${count(gone.size, "end user")} deleted.`;
}

/** @param {(loaded: Roster) => void} work */
function change(work) {
  if (roster === null) return;
  work(roster);
  render();
}

/** @param {number} pages */
function turn(pages) {
  change((loaded) => (loaded.page += pages));
  byId("end-users-title").scrollIntoView();
  const [wanted, other] = pages > 0 ? [button("next"), button("previous")] : [button("previous"), button("next")];
  (wanted.disabled ? other : wanted).focus({ preventScroll: true });
}

function render() {
  const rows = roster?.rows ?? [];
  const now = accountNow();
  const focused = /** @type {HTMLInputElement | null} */ (byId("rows").querySelector("input:focus"))?.value;
  byId("rows").replaceChildren(...rows.map((user) => row(user, now)));
  if (focused !== undefined) box(focused)?.focus({ preventScroll: true });
  byId("rows").hidden = rows.length === 0;
  byId("hint").textContent = hint();
  byId("hint").hidden = rows.length > 0;
  renderTools();
}

function hint() {
  if (roster === null) return FIRST;
  return roster.users.length === 0 ? "This account has no end users." : "Nobody has that in their name or id.";
}

/** @param {string} id */
function box(id) {
  return /** @type {HTMLInputElement | null} */ (byId("rows").querySelector(`input[value="${CSS.escape(id)}"]`));
}

/**
 * @param {EndUser} user
 * @param {number} now
 */
function row(user, now) {
  const id = user.end_user_id;
  const name = displayName(user, now);
  const active = lastActive(user.last_active_ts, now);
  return h(
    "li",
    {},
    h("input", {
      type: "checkbox",
      value: id,
      checked: roster?.selected.has(id),
      "aria-label": `Select ${name}, ${shortId(id)}`,
    }),
    h(
      "div",
      { class: "who" },
      h("a", { href: `#/end-users/${encodeURIComponent(id)}`, class: "name" }, quoted(name)),
      h("code", { title: id }, shortId(id)),
    ),
    h(
      "span",
      { class: "quiet when" },
      user.last_active_ts === null ? "never active" : time(user.last_active_ts, active),
    ),
  );
}

function renderTools() {
  const selected = roster?.selected.size ?? 0;
  const shown = roster?.shown.length ?? 0;
  byId("select-all").textContent = roster?.allSelected ? "Unselect All" : "Select All";
  button("select-all").disabled = shown === 0;
  button("delete").disabled = selected === 0;
  for (const box of byId("rows").querySelectorAll("input")) box.checked = roster?.selected.has(box.value) ?? false;
  byId("count").textContent = roster === null ? "" : summary(roster);
  renderPages(shown);
}

/** @param {number} shown */
function renderPages(shown) {
  byId("pages").hidden = shown <= PAGE_ROWS;
  byId("page").textContent = roster === null ? "" : `Page ${roster.page + 1} of ${roster.pages}`;
  button("previous").disabled = !roster?.page;
  button("next").disabled = roster === null || roster.page + 1 >= roster.pages;
}

/** @param {Roster} loaded */
function summary({ users, shown, selected }) {
  const number = (/** @type {number} */ many) => many.toLocaleString("en");
  const some = shown.length < users.length ? `${number(shown.length)} of ` : "";
  return `${some}${count(users.length, "end user")} · ${number(selected.size)} selected`;
}
