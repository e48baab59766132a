// @ts-check
/** The open rooms of several characters: who is in them, who is talked to, and what was said. */

import { control } from "./backend.js";
import { byId, count, h, list, quoted } from "./dom.js";
import { messageList } from "./messages.js";
import { Poll } from "./poll.js";
import { attempt } from "./status.js";

const WHAT = "Could not read the rooms";
const poll = new Poll(WHAT, load);

/**
 * What is shown of each room, by its id.
 *
 * @type {Map<string, { card: HTMLElement, people: HTMLElement, room: Room | null }>}
 */
const shown = new Map();

/** Show them, and go on reading until `hide`. */
export function show() {
  return attempt(WHAT, async (signal) => {
    await load(signal);
    poll.start();
  });
}

/** Read no more. */
export function hide() {
  poll.stop();
}

/** Drop what was read: it is another account's. */
export function forget() {
  hide();
  shown.clear();
  byId("rooms-body").replaceChildren();
}

/** @param {AbortSignal} signal */
async function load(signal) {
  /** @type {State} */
  const { rooms = [] } = await control("GET", "/state?parts=characters", signal);
  const there = new Set(rooms.map((room) => room.room_session_id));
  for (const [id, { card }] of shown) {
    if (there.has(id)) continue;
    card.remove();
    shown.delete(id);
  }
  byId("rooms-none").hidden = rooms.length > 0;
  for (const room of rooms) render(room);
}

/**
 * Only what has changed is made anew, so that messages stay open.
 *
 * @param {Room} room
 */
function render(room) {
  const known = shown.get(room.room_session_id) ?? add(room);
  const before = known.room;
  known.room = room;
  if (JSON.stringify(before) !== JSON.stringify(room)) known.people.replaceChildren(...peopleOf(room));
}

/** @param {Room} room */
function add({ room_session_id: id, room_name: name }) {
  const members = () => shown.get(id)?.room?.characters ?? [];
  const people = h("div");
  const messages = messageList(
    async (signal) => {
      const kept = await control("GET", "/messages", signal);
      const ids = new Set(members().map((one) => one.character_session_id));
      return kept.messages.filter((/** @type {Frame} */ one) => ids.has(one.character_session_id));
    },
    (character) => members().find((one) => one.character_id === character)?.display_name ?? character,
  );
  const card = h("article", { class: "card character" }, h("h3", {}, quoted(name)), people, messages);
  byId("rooms-body").append(card);
  const made = { card, people, room: null };
  shown.set(id, made);
  return made;
}

/** @param {Room} room */
function peopleOf(room) {
  const { participants, characters, max_num_participants: most } = room;
  const nobody = h("p", { class: "quiet" }, "Nobody is in it.");
  const names = participants.map((one) => h("li", {}, quoted(one.end_user_id)));
  const epochs = `Roster epoch ${room.roster_epoch} · route epoch ${room.route_epoch}`;
  return [
    h("h4", {}, `${count(participants.length, "person", "people")} of ${most}`),
    participants.length === 0 ? nobody : list("People", names),
    h("h4", {}, count(characters.length, "character")),
    list(
      "Characters",
      characters.map((one) => member(one, room)),
    ),
    h("p", { class: "quiet" }, room.group_chat ? `${epochs} · group chat` : epochs),
  ];
}

/**
 * @param {RoomMember} one
 * @param {Room} room
 */
function member(one, room) {
  const failed = one.status === "failed" || one.status === "dispatch_failed";
  return h(
    "li",
    {},
    h("strong", {}, quoted(one.display_name)),
    " ",
    h("code", {}, one.character_id),
    " ",
    h("span", { class: failed ? "tag bad" : "tag" }, [one.status, one.failure_code].filter(Boolean).join(": ")),
    ...(one.membership_id === room.active_membership_id ? [" ", h("span", { class: "tag on" }, "Active")] : []),
  );
}
