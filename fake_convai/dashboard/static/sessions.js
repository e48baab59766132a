// @ts-check
/** Sessions, each with its transcript. */

import { control } from "./backend.js";
import { count, h, quoted, time } from "./dom.js";
import { messageList } from "./messages.js";

/**
 * @param {Session[]} sessions as in `/_fake/state`
 * @param {(session: Session) => string} title whom the session was with
 */
export function sessionList(sessions, title) {
  return h("div", { class: "card rows" }, ...sessions.map((session) => disclosure(session, title(session))));
}

/**
 * @param {Session} session
 * @param {string} title
 */
function disclosure(session, title) {
  const { interactions } = session;
  const added = session.is_added_to_memory;
  return h(
    "details",
    { class: "session" },
    h(
      "summary",
      {},
      h("strong", {}, quoted(title)),
      h("span", { class: "quiet" }, " ", time(session.started_at), ` UTC · ${count(interactions.length, "turn")} `),
      h("span", { class: added ? "tag on" : "tag" }, added ? "Added to memory" : "Not added to memory"),
    ),
    interactions.length === 0
      ? h("p", { class: "quiet" }, "Nothing was said.")
      : h("dl", { class: "transcript" }, ...interactions.flatMap(turn)),
    messages(session),
    h("p", { class: "quiet" }, "Session ", h("code", {}, session.sessionID)),
  );
}

/** @param {Session} session */
function messages(session) {
  const id = encodeURIComponent(session.sessionID);
  return messageList(
    async (signal) => (await control("GET", `/messages?character_session_id=${id}`, signal)).messages,
    (character) => character,
  );
}

/** @param {Interaction} interaction */
function turn(interaction) {
  const speaker = interaction.is_trigger_input ? "Trigger" : "User";
  return [
    h("dt", {}, speaker, " ", h("span", { class: "quiet" }, time(interaction.timestamp))),
    h("dd", {}, quoted(interaction.user)),
    h("dt", {}, "Character"),
    h("dd", {}, quoted(interaction.character)),
  ];
}
