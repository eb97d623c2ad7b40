// Is a stranger at the screen? One press hides places, ages and ends here at once, and on every page as soon as ispsd has
// told it; it lifts itself after an hour everywhere.

import { mark, say } from "./draw.js";

const VISITOR_S = 60 * 60;
const MINUTE_S = 60;

export class Visitor {
  /** `tell(on)` asks ispsd; it need not answer. */
  constructor({ tell }) {
    this._tell = tell;
    this._pressed_s = null;
    this._is_shared = false;
  }

  press(now_s) {
    const on = !this._is_on;
    this._pressed_s = on ? now_s : null;
    this._tell(on);
  }

  get _is_on() {
    return this._pressed_s !== null || this._is_shared;
  }

  draw(picture, button, now_s) {
    const ends_up = picture.ship?.visitor_view_ends_up ?? null;
    const up = picture.up(now_s);
    // Where nobody knows what time it is on board it is not over.
    this._is_shared = ends_up !== null && (up === null || up < ends_up);
    if (this._pressed_s !== null && now_s - this._pressed_s >= VISITOR_S) this._pressed_s = null;
    if (this._is_shared && !picture.is_old(picture.ship)) this._pressed_s = null; // everybody has it now
    const is_on = this._is_on;
    const own_s = this._pressed_s === null ? 0 : VISITOR_S - (now_s - this._pressed_s);
    const left_s = this._is_shared && up !== null ? ends_up - up : own_s;
    const left = left_s > 0 ? ` ${Math.ceil(left_s / MINUTE_S)} min` : "";
    say(button, `visitor view${is_on ? left : ""}`);
    button.setAttribute("aria-pressed", String(is_on));
    mark(document.body, "visitor", is_on);
    return is_on;
  }
}
