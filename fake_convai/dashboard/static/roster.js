// @ts-check
/** The list of end users as a model: search, pages and selection. Pure: no DOM, no network. */

/** Rows on a page; more would make the browser slow to lay out. */
export const PAGE_ROWS = 500;

export class Roster {
  /**
   * @param {EndUser[]} users
   * @param {(user: EndUser) => string} nameOf what a user is displayed as
   */
  constructor(users, nameOf) {
    this.users = users;
    this.shown = users;
    /** @type {Set<string>} */
    this.selected = new Set();
    this.page = 0;
    this.nameOf = nameOf;
  }

  /**
   * Show the users whose name or id has this in it.
   *
   * @param {string} text
   */
  search(text) {
    const wanted = text.trim().toLowerCase();
    const fits = (/** @type {EndUser} */ user) =>
      `${this.nameOf(user)}\n${user.end_user_id}`.toLowerCase().includes(wanted);
    this.shown = wanted === "" ? this.users : this.users.filter(fits);
    this.page = 0;
  }

  /** The users on the page. */
  get rows() {
    return this.shown.slice(this.page * PAGE_ROWS, (this.page + 1) * PAGE_ROWS);
  }

  /** How many pages there are. */
  get pages() {
    return Math.max(1, Math.ceil(this.shown.length / PAGE_ROWS));
  }

  /** Whether all that is shown, on every page, is selected. */
  get allSelected() {
    return this.shown.length > 0 && this.shown.every((user) => this.selected.has(user.end_user_id));
  }

  /** Select all that is shown, on every page, or unselect it when it all is. */
  toggleAll() {
    const wanted = !this.allSelected;
    for (const user of this.shown) this.select(user.end_user_id, wanted);
  }

  /**
   * @param {string} id
   * @param {boolean} wanted
   */
  select(id, wanted) {
    if (wanted) this.selected.add(id);
    else this.selected.delete(id);
  }

  /** How many are selected that the search hides. */
  get hiddenSelected() {
    return this.selected.size - this.shown.filter((user) => this.selected.has(user.end_user_id)).length;
  }

  /**
   * Forget users that are no more.
   *
   * @param {Set<string>} ids
   */
  remove(ids) {
    const stays = (/** @type {EndUser} */ user) => !ids.has(user.end_user_id);
    this.users = this.users.filter(stays);
    this.shown = this.shown.filter(stays);
    for (const id of ids) this.selected.delete(id);
    this.page = Math.min(this.page, this.pages - 1);
  }
}
