// @ts-check
/** One live session over a WebSocket, as an app has it. No DOM. */

import { Failure } from "./backend.js";

/**
 * @typedef {object} Live
 * @property {Connected} connected
 * @property {(type: string, data: object) => void} send
 * @property {() => void} leave let an end of the connection be no surprise any more
 * @property {() => void} close
 */

/**
 * Open the WebSocket of a session.
 *
 * @param {Connected} connected what `/connect` answered
 * @param {object} listener
 * @param {(from: "client" | "server", message: any) => void} listener.heard each message, sent or received
 * @param {(reason: string) => void} listener.closed the connection has gone, and nobody asked it to
 * @returns {Promise<Live>}
 */
export function openSession(connected, { heard, closed }) {
  const { pathname, search } = new URL(connected.room_url);
  // The page's own origin, whatever the server is called where the fake thinks that it is.
  const socket = new WebSocket(new URL(pathname + search, location.href.replace(/^http/, "ws")));
  let expected = true; // until it is open, that it cannot be opened says all
  socket.addEventListener("message", ({ data }) => heard("server", JSON.parse(data)));
  const live = {
    connected,
    send(/** @type {string} */ type, /** @type {object} */ data) {
      const message = { type, data };
      socket.send(JSON.stringify(message));
      heard("client", message);
    },
    leave: () => void (expected = true),
    close() {
      expected = true;
      socket.close();
    },
  };
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => {
      expected = false;
      resolve(live);
    });
    socket.addEventListener("error", () => reject(new Failure("The WebSocket could not be opened.")));
    socket.addEventListener("close", ({ code, reason }) => expected || closed(`${reason || "no reason"} (${code})`));
  });
}
