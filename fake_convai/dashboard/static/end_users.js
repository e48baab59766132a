/** The list of end users, as in the Long-Term Memory tab of Convai's Unity editor. */

import { post } from "./backend.js";
import { accountNow, readGlance } from "./clock.js";
import { confirmDelete } from "./dialog.js";
import { displayName, lastActive, shortId } from "./displayed.js";
import { byId, count, h, quoted, time } from "./dom.js";
import { PAGE_ROWS, Roster } from "./roster.js";
import { attempt, progress } from "./status.js";

/** Records a request, as many as the original asks for. */
const LIMIT = 200;
const EVERY = 25;
const FIRST = "Nothing is loaded by itself: choose an account with its key, then press Refresh.";

/** What was loaded; null before that. */
let roster = null;

/** Make the controls of the list work. */
export function start() {
  byId("refresh").addEventListener("click", refresh);
  byId("delete").addEventListener("click", deleteSelected);
  byId("select-all").addEventListener("click", () => change(() => roster.toggleAll()));
  byId("previous").addEventListener("click", () => turn(-1));
  byId("next").addEventListener("click", () => turn(1));
  byId("search").addEventListener("input", () => roster && change(() => roster.search(byId("search").value)));
  byId("rows").addEventListener("change", ({ target }) => {
    roster.select(target.value, target.checked);
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

function refresh() {
  return attempt("Could not load the end users", async (signal) => {
    progress("Loading…", 0, 1);
    await readGlance();
    const users = await loadAll(signal);
    roster = new Roster(users, (user) => displayName(user, accountNow()));
    roster.search(byId("search").value);
    render();
    return `${count(users.length, "end user")} loaded.`;
  });
}

async function loadAll(signal) {
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

async function removeSelected(signal) {
  const wanted = [...roster.selected];
  const gone = new Set();
  try {
    for (const id of wanted) {
      if (gone.size % EVERY === 0) progress(`Deleting… ${gone.size} of ${wanted.length}`, gone.size, wanted.length);
      await post("/beta/user/end-users/delete", { end_user_id: id }, signal);
      gone.add(id);
    }
  } finally {
    if (!signal.aborted) change(() => roster.remove(gone));
  }
  return `${count(gone.size, "end user")} deleted.`;
}

function change(work) {
  work();
  render();
}

function turn(pages) {
  change(() => (roster.page += pages));
  byId("end-users-title").scrollIntoView();
  const [wanted, other] = pages > 0 ? [byId("next"), byId("previous")] : [byId("previous"), byId("next")];
  (wanted.disabled ? other : wanted).focus({ preventScroll: true });
}

function render() {
  const rows = roster?.rows ?? [];
  const now = accountNow();
  byId("rows").replaceChildren(...rows.map((user) => row(user, now)));
  byId("rows").hidden = rows.length === 0;
  byId("hint").textContent = hint();
  byId("hint").hidden = rows.length > 0;
  renderTools();
}

function hint() {
  if (roster === null) return FIRST;
  return roster.users.length === 0 ? "This account has no end users." : "Nobody has that in their name or id.";
}

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
      checked: roster.selected.has(id),
      "aria-label": `Select ${name}, ${shortId(id)}`,
    }),
    h(
      "div",
      { class: "who" },
      h("a", { href: `#/end-users/${encodeURIComponent(id)}`, class: "name" }, quoted(name)),
      h("code", { title: id }, shortId(id)),
    ),
    h("span", { class: "quiet when" }, active === "" ? "never active" : time(user.last_active_ts, active)),
  );
}

function renderTools() {
  const selected = roster?.selected.size ?? 0;
  const shown = roster?.shown.length ?? 0;
  byId("select-all").textContent = roster?.allSelected ? "Unselect All" : "Select All";
  byId("select-all").disabled = shown === 0;
  byId("delete").disabled = selected === 0;
  for (const box of byId("rows").querySelectorAll("input")) box.checked = roster.selected.has(box.value);
  byId("count").textContent = roster === null ? "" : summary(shown, selected);
  renderPages(shown);
}

function renderPages(shown) {
  byId("pages").hidden = shown <= PAGE_ROWS;
  byId("page").textContent = roster === null ? "" : `Page ${roster.page + 1} of ${roster.pages}`;
  byId("previous").disabled = !roster?.page;
  byId("next").disabled = roster === null || roster.page + 1 >= roster.pages;
}

function summary(shown, selected) {
  const all = count(roster.users.length, "end user");
  const number = (many) => many.toLocaleString("en");
  return `${shown < roster.users.length ? `${number(shown)} of ` : ""}${all} · ${number(selected)} selected`;
}
