// @ts-check
/** One end user: the record, memories with every character, sessions. Looking reads `/_fake` and leaves no trace. */

import { control, post } from "./backend.js";
import { accountNow, readGlance } from "./clock.js";
import { confirmDelete } from "./dialog.js";
import { displayName, lastActive } from "./displayed.js";
import { byId, h, quoted, time } from "./dom.js";
import { forgetOne } from "./end_users.js";
import { history, memoriesSection } from "./memories.js";
import { metadataSection } from "./metadata.js";
import { sessionList } from "./sessions.js";
import { attempt, say } from "./status.js";

/** @type {Record<string, (person: Person, user: EndUser, change: Change) => HTMLElement[]>} */
const SECTIONS = {
  record: recordSection,
  metadata: metadataSection,
  memories: memoriesSection,
  sessions: sessionsSection,
};

/**
 * Show the person with this id.
 *
 * @param {string} id
 */
export function show(id) {
  byId("person-title").replaceChildren(quoted(id));
  byId("person-body").replaceChildren();
  return attempt("Could not load the end user", async (signal) => {
    say("Loading…");
    render(await load(id, signal), Object.keys(SECTIONS));
  });
}

/** Drop what was shown: it is another account's. */
export function forget() {
  byId("person-body").replaceChildren();
}

/**
 * @param {string} id
 * @param {AbortSignal} signal
 * @returns {Promise<Person>}
 */
async function load(id, signal) {
  const whom = `end_user_id=${encodeURIComponent(id)}`;
  const [state, added, ended] = await Promise.all([
    control("GET", `/state?${whom}`, signal),
    control("GET", `/requests?path=/memory/add&${whom}`, signal),
    control("GET", "/requests?path=/disconnect", signal), // names nobody, but a session
    readGlance(), // how long ago something was is told by the account's clock
  ]);
  return {
    id,
    user: state.end_users[0],
    characters: state.characters,
    memories: state.memories,
    sessions: state.sessions.reverse(),
    history: history([...added.requests, ...ended.requests]),
  };
}

/**
 * @param {Person} person
 * @param {string[]} names of sections
 */
function render(person, names) {
  const { user } = person;
  if (user === undefined) {
    byId("person-body").replaceChildren(h("p", { class: "empty" }, "This account has no such end user."));
    return;
  }
  byId("person-title").replaceChildren(quoted(displayName(user, accountNow())));
  for (const name of names) {
    const section = h("div", { id: `person-${name}` }, ...SECTIONS[name](person, user, changer(person, name)));
    const old = document.getElementById(section.id);
    if (old === null) byId("person-body").append(section);
    else old.replaceWith(section);
  }
}

/**
 * What a section calls to change something: it does the work, reads the person anew and says what was done.
 *
 * @param {Person} person
 * @param {string} name
 * @returns {Change}
 */
function changer(person, name) {
  return (what, work) =>
    attempt(what, async (signal) => {
      const said = await work(signal);
      const focused = document.activeElement?.id ?? "";
      render(await load(person.id, signal), ["record", name]);
      (document.getElementById(focused) ?? byId("person-title")).focus();
      return said;
    });
}

/**
 * @param {Person} person
 * @param {EndUser} user
 */
function recordSection(person, user) {
  const now = accountNow();
  const moment = (/** @type {string | null} */ iso) =>
    iso === null ? "never" : h("span", {}, time(iso), ` UTC (${lastActive(iso, now)})`);
  return [
    h(
      "dl",
      { class: "facts" },
      h("dt", {}, "Id"),
      h("dd", {}, h("code", {}, person.id)),
      h("dt", {}, "Last active"),
      h("dd", {}, moment(user.last_active_ts)),
      h("dt", {}, "Last memory use"),
      h("dd", {}, moment(user.last_ltm_usage_ts)),
    ),
    h("button", { class: "danger", onclick: () => remove(user) }, "Delete end user"),
  ];
}

/** @param {Person} person */
function sessionsSection(person) {
  const names = new Map(person.characters.map((character) => [character.character_id, character.character_name]));
  return [
    h("h3", {}, "Sessions"),
    person.sessions.length === 0
      ? h("p", { class: "quiet" }, "No sessions yet.")
      : sessionList(person.sessions, (session) => names.get(session.character_id) ?? ""),
  ];
}

/** @param {EndUser} user */
async function remove(user) {
  const sure = await confirmDelete(
    "Delete 1 end user?",
    `The record of ${displayName(user, accountNow())} and everything that every character remembers about this ` +
      "person will be gone. This cannot be undone.",
  );
  if (!sure) return;
  await attempt("Could not delete the end user", async (signal) => {
    await post("/beta/user/end-users/delete", { end_user_id: user.end_user_id }, signal);
    forgetOne(user.end_user_id);
    location.hash = "#/end-users";
  });
}
