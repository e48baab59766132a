// @ts-check
/** The messages of a session or of a room, read when they are asked for. */

import { h, quoted, time } from "./dom.js";
import { eventRow } from "./events.js";
import { attempt } from "./status.js";

/**
 * A button that shows messages, each with whose it was.
 *
 * @param {(signal: AbortSignal) => Promise<Frame[]>} read
 * @param {(id: string) => string} nameOf what a character is called
 */
export function messageList(read, nameOf) {
  const list = h("ol", { class: "events", role: "list", tabindex: 0, "aria-label": "Messages" });
  const none = h("li", { class: "quiet" }, "None were kept: it was seeded, or the server keeps newer ones only.");
  const load = () =>
    attempt("Could not read the messages", async (signal) => {
      const frames = await read(signal);
      list.hidden = false;
      list.replaceChildren(...(frames.length === 0 ? [none] : frames.map((one) => row(one, nameOf))));
    });
  list.hidden = true;
  return h("div", {}, h("button", { onclick: load }, "Show messages"), list);
}

/**
 * @param {Frame} one
 * @param {(id: string) => string} nameOf
 */
function row({ at, direction, message, character_id: character, end_user_id: person }, nameOf) {
  const whose = direction === "in" ? person : character && nameOf(character);
  const about = h("span", { class: "quiet" }, ...(whose ? [quoted(whose), " · "] : []), time(at));
  return eventRow(direction === "in" ? "client" : "server", message, about);
}
