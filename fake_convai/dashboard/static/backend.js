// @ts-check
/** The fake as the page sees it: its public routes and `/_fake`, with the keys of this browser tab. */

/** Why something did not work, in words for the reader. */
export class Failure extends Error {}

const STORED = { api: "fake-convai.api-key", control: "fake-convai.control-key" };

/** The keys that are sent; they live as long as the tab. */
export const keys = {
  api: sessionStorage.getItem(STORED.api) ?? "",
  control: sessionStorage.getItem(STORED.control) ?? "",
};

/**
 * Use another key, and remember it for this tab.
 *
 * @param {"api" | "control"} which
 * @param {string} value
 */
export function setKey(which, value) {
  keys[which] = value;
  sessionStorage.setItem(STORED[which], value);
}

/**
 * Call a public route, such as `/beta/memory/add`; throws `Failure` with the reason unless it answers 200.
 *
 * @param {string} path with its surface
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 */
export function post(path, body, signal) {
  const header = path.startsWith("/live/") ? "X-API-Key" : "CONVAI-API-KEY";
  return ask("POST", path, { [header]: keys.api }, body, signal);
}

/**
 * Call a route of the control plane; throws `Failure` unless it answers 200.
 *
 * @param {string} method
 * @param {string} path without `/_fake`
 * @param {AbortSignal} [signal]
 * @param {unknown} [body]
 * @param {boolean} [ofAccount] whether it is about the account of the key, and not about the whole server
 */
export function control(method, path, signal, body, ofAccount = true) {
  // The key is sent even when it is empty: without one, the control plane would act on the whole server.
  /** @type {Record<string, string>} */
  const account = ofAccount ? { "CONVAI-API-KEY": keys.api } : {};
  return ask(method, `/_fake${path}`, { ...account, "X-Fake-Convai-Control-Key": keys.control }, body, signal);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
async function ask(method, path, headers, body, signal) {
  if (Object.values(headers).some((key) => /[^\x20-\xff]/.test(key))) {
    throw new Failure("The key has characters that cannot be sent in a header.");
  }
  let response, answer;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal,
    });
    answer = await response.text();
  } catch {
    throw new Failure("The server did not answer.");
  }
  const parsed = parse(answer);
  if (!response.ok) throw new Failure(`${reason(parsed)} (HTTP ${response.status})`);
  if (parsed === undefined) throw new Failure("The answer is not JSON.");
  return parsed;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {any} answer */
function reason(answer) {
  const said = answer?.ERROR ?? answer?.API_ERROR ?? answer?.detail;
  return typeof said === "string" ? said : "No reason was given.";
}
