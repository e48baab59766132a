// @ts-check
/** Messages of live sessions, each in a row that opens to its JSON. */

import { h, quoted } from "./dom.js";

/**
 * @param {"client" | "server"} from who sent it
 * @param {any} message
 * @param {Node} [when]
 */
export function eventRow(from, message, when) {
  const inner = message?.type === "server-message" ? (message.data?.type ?? "") : "";
  const text = message?.data?.text ?? message?.message ?? message?.data?.text_message ?? "";
  return h(
    "li",
    {},
    h(
      "details",
      { class: "event" },
      h(
        "summary",
        {},
        h("span", { class: `from ${from}` }, `${from} `),
        h("code", {}, quoted([message?.type ?? "no type", inner].filter(Boolean).join(" · "))),
        ...(typeof text === "string" && text !== "" ? [h("span", { class: "quiet" }, " ", quoted(text))] : []),
        ...(when === undefined ? [] : [" ", when]),
      ),
      h("pre", {}, JSON.stringify(message, null, 2)),
    ),
  );
}
