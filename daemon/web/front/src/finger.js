// Is something being pressed? What lies under a finger stays there until the browser has made a press of it: a press that
// ends on something else is none, and the officer would not know why nothing happened.

/** A finger that rests on the glass holds nothing back for longer; nor do drops of rain, each of which is one. */
const HELD_S = 1;
const OLDEST_S = 1.25;

export class Finger {
  constructor() {
    this._down_s = -Infinity;
  }

  /** Take an event of the page: `pointerup` ends nothing, for a touch becomes a `click` later. */
  take({ type }, now_s) {
    if (type === "pointerdown") this._down_s = now_s;
    else if (type === "click" || type === "pointercancel") this._down_s = -Infinity;
  }

  /** Whether what was drawn then stays as it is. */
  holds(drawn_s, now_s) {
    return now_s - this._down_s < HELD_S && now_s - drawn_s < OLDEST_S;
  }
}
