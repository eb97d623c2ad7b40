// What of the list of alerts is not on the screen? One line that is always there, and one press to what it names.

import { el, mark, say } from "./draw.js";
import { PRIORITY_WORDS, unacknowledged } from "./order.js";

export class Strip {
  constructor(parent) {
    this._row = null;
    this._button = el("button", { type: "button", class: "strip", hidden: true, on: { click: () => this._show() } });
    parent.append(this._button);
  }

  /** `list`: the rows as they stand, each with the alert that it shows. */
  draw(list, { is_old }) {
    const first = list.firstElementChild;
    const last = list.lastElementChild;
    const waits = first && unacknowledged(first.alert_) && !is_seen(first);
    this._row = waits ? first : last && !is_seen(last) ? last : null;
    this._button.hidden = this._row === null;
    mark(this._button, "priority", waits && !is_old ? first.alert_.priority : null);
    if (this._row === null) return;
    const { priority, title, name } = first.alert_;
    const was = is_old ? "? was " : "";
    say(this._button, waits ? `${was}${PRIORITY_WORDS[priority]} · ${title} · ${name} · not acknowledged: show` : below(list));
  }

  _show() {
    this._row?.scrollIntoView({ block: "center" });
    this._row?.parts.more.focus({ preventScroll: true });
  }
}

const below = (list) => `${[...list.children].filter((row) => !is_seen(row)).length} more alerts: show`;

/** Whether all of a row lies in the part of the screen that its list may take. */
function is_seen(row) {
  const { top, bottom } = row.getBoundingClientRect();
  const window_ = row.closest(".scrolls")?.getBoundingClientRect();
  const foot = document.querySelector("body > footer").getBoundingClientRect().top;
  const least = Math.max(0, window_?.top ?? 0);
  const most = Math.min(foot, window_?.bottom ?? Infinity);
  return top >= least - 1 && bottom <= most + 1;
}
