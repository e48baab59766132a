// @ts-check
/**
 * What an end user is called, by the rules of Convai's Unity SDK (`EndUserDetails.DisplayName` and `ShortId`, which
 * clients compute and the server never sends). Pure: no DOM, no clock of its own.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * The name in the metadata, else `User ` and the beginning of the id, with the last activity where it is known.
 *
 * @param {Pick<EndUser, "end_user_id" | "end_user_metadata" | "last_active_ts">} user
 * @param {number} now milliseconds, by the clock of the account
 */
export function displayName(user, now) {
  const name = user.end_user_metadata.name;
  if (name !== undefined && name !== null && String(name).trim() !== "") return String(name);
  const prefix = `User ${user.end_user_id.slice(0, 8)}`;
  const active = lastActive(user.last_active_ts, now);
  return active === "" ? prefix : `${prefix} (${active})`;
}

/**
 * The id, shortened to 8 characters, three dots and 4 characters when it is longer than 16.
 *
 * @param {string} id
 */
export function shortId(id) {
  return id.length <= 16 ? id : `${id.slice(0, 8)}...${id.slice(-4)}`;
}

/**
 * How long ago: `just now`, `5m ago`, `3h ago`, `3d ago`, and from 30 days on the date. Empty for never.
 *
 * @param {string | null} iso
 * @param {number} now
 */
export function lastActive(iso, now) {
  if (iso === null) return "";
  const then = new Date(iso);
  const age = now - then.getTime();
  if (age < MINUTE) return "just now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)}h ago`;
  if (age < 30 * DAY) return `${Math.floor(age / DAY)}d ago`;
  return then.toLocaleDateString("en-US", { month: "short", day: "numeric", timeZone: "UTC" });
}

/**
 * A moment written out to the second, in UTC.
 *
 * @param {string} iso
 */
export function exactly(iso) {
  return new Date(iso).toISOString().slice(0, 19).replace("T", " ");
}
