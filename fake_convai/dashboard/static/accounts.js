// @ts-check
/** The accounts of the server. Keys are kept as hashes, so there is no more to tell them by than their last four. */

import { control } from "./backend.js";
import { byId, count, h, list, quoted } from "./dom.js";
import { attempt } from "./status.js";

/** Show them. */
export function show() {
  return attempt("Could not list the accounts", async (signal) => {
    /** @type {{ accounts: Account[] }} */
    const { accounts } = await control("GET", "/accounts", signal, undefined, false);
    const none = h("p", { class: "empty" }, "No account was opened yet: the first request with a key opens one.");
    byId("accounts-body").replaceChildren(accounts.length === 0 ? none : list("Accounts", accounts.map(row)));
  });
}

/** Nothing of it belongs to the account that was chosen. */
export function forget() {}

/** @param {Account} account */
function row(account) {
  const held = [
    count(account.characters, "character"),
    count(account.end_users, "end user"),
    count(account.memories, "memory", "memories"),
    count(account.sessions, "session"),
    count(account.requests, "request"),
  ];
  const key =
    account.last_four === "" ? "A key of less than eight characters" : `A key that ends in ${account.last_four}`;
  return h("li", {}, h("p", {}, quoted(key)), h("p", { class: "quiet" }, held.join(" · ")));
}
