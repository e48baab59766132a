/** One end user: the record, memories with every character, sessions. Looking reads `/_fake/state` and leaves no trace. */

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

/**
 * What the sections of the page are made from.
 *
 * @typedef {object} Person
 * @property {string} id
 * @property {object} user the record
 * @property {object[]} characters the account's
 * @property {object[]} memories of this person, with any character
 * @property {object[]} sessions of this person
 * @property {Map<string, object[]>} history what became of facts, by the id of their memory
 */

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
    return "";
  });
}

/** Drop what was shown: it is another account's. */
export function forget() {
  byId("person-body").replaceChildren();
}

async function load(id, signal) {
  const [state, journal] = await Promise.all([
    control("GET", "/state", signal),
    control("GET", "/requests?path=/memory/add", signal),
    readGlance(), // how long ago something was is told by the account's clock
  ]);
  const mine = (part) => part.end_user_id === id;
  return {
    id,
    user: state.end_users.find(mine),
    characters: state.characters,
    memories: state.memories.filter(mine),
    sessions: state.sessions.filter(mine).reverse(),
    history: history(journal.requests),
  };
}

function render(person, names) {
  if (person.user === undefined) {
    byId("person-body").replaceChildren(h("p", { class: "empty" }, "This account has no such end user."));
    return;
  }
  byId("person-title").replaceChildren(quoted(displayName(person.user, accountNow())));
  for (const name of names) {
    const section = h("div", { id: `person-${name}` }, ...SECTIONS[name](person, changer(person, name)));
    const old = byId(section.id);
    if (old === null) byId("person-body").append(section);
    else old.replaceWith(section);
  }
}

/** What a section calls to change something: it does the work, reads the person anew and says what was done. */
function changer(person, name) {
  return (what, work) =>
    attempt(what, async (signal) => {
      const said = await work(signal);
      const focused = document.activeElement.id;
      render(await load(person.id, signal), ["record", name]);
      (byId(focused) ?? byId("person-title")).focus();
      return said;
    });
}

function recordSection(person) {
  const now = accountNow();
  const moment = (iso) => (iso === null ? "never" : h("span", {}, time(iso), ` UTC (${lastActive(iso, now)})`));
  return [
    h(
      "dl",
      { class: "facts" },
      h("dt", {}, "Id"),
      h("dd", {}, h("code", {}, person.id)),
      h("dt", {}, "Last active"),
      h("dd", {}, moment(person.user.last_active_ts)),
      h("dt", {}, "Last memory use"),
      h("dd", {}, moment(person.user.last_ltm_usage_ts)),
    ),
    h("button", { class: "danger", onclick: () => remove(person) }, "Delete end user"),
  ];
}

function sessionsSection(person) {
  const names = new Map(person.characters.map((character) => [character.character_id, character.character_name]));
  return [
    h("h3", {}, "Sessions"),
    person.sessions.length === 0
      ? h("p", { class: "quiet" }, "No sessions yet.")
      : sessionList(person.sessions, (session) => names.get(session.character_id)),
  ];
}

async function remove(person) {
  const sure = await confirmDelete(
    "Delete 1 end user?",
    `The record of ${displayName(person.user, accountNow())} and everything that every character remembers about this ` +
      "person will be gone. This cannot be undone.",
  );
  if (!sure) return;
  await attempt("Could not delete the end user", async (signal) => {
    await post("/beta/user/end-users/delete", { end_user_id: person.id }, signal);
    forgetOne(person.id);
    location.hash = "#/end-users";
    return "";
  });
}
