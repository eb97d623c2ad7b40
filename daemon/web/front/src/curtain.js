// The curtain: a clock on black, and nothing else on the screen or in the document. A touch asks who raises it.

import { el, say } from "./draw.js";
import { asked } from "./form.js";
import { keep, kept } from "./kept.js";

const MINUTE_MS = 60_000;
const TITLE = "Clock";

const KEPT = "curtain";
/** Who lets it down is in danger: a broker that does not answer is waited for no longer. */
const SHUT_MS = 2000;

/** What this browser showed last, where that was the clock. */
export function kept_clock() {
  return kept(KEPT);
}

export class Curtain {
  /**
   * `ask` and `raise` send the command with these members; the first asks the person for what is wanted beside, and
   * tells of each reply before it does.
   */
  constructor({ pictures, palette, ask, raise }) {
    this._pictures = pictures;
    this._palette = palette;
    this._asks = ask;
    this._raise = raise;
    this._kept_min = null; // of the clock that is kept; undefined: none is
    this._behind = [];
    this._title = document.title;
    this._ship = el("time", { class: "ship" });
    this._utc = el("time", { class: "utc" });
    this._clock = el("button", { type: "button", id: "clock", on: { click: () => this._ask() } }, this._ship, this._utc);
    this._is_asking = false;
    this._is_unanswered = false; // that it shall come down
  }

  /** Let it down with one press, or ask who raises it; return words where it went wrong. */
  async press() {
    const down = !this._pictures.is_down;
    const late = down && setTimeout(() => (this._is_unanswered = true), SHUT_MS);
    const reply = await this._asks({ down }, ({ accepted }) => {
      clearTimeout(late);
      this._is_unanswered = false;
      if (down && !accepted) this._pictures.open_here();
    });
    clearTimeout(late);
    this._is_unanswered = false;
    if (down && reply.is_lost) this._pictures.shut_here();
    return reply.words;
  }

  /** Show the clock and forget the ship, or show her again; return whether it is the clock. */
  look(now_s) {
    // Meanwhile a heartbeat may say that there is none: nobody there has heard of it yet.
    if (this._is_unanswered && !this._pictures.is_down) this._pictures.shut_here();
    const { open, is_curtained } = this._pictures;
    const offset_min = is_curtained ? (open.curtain.ship_time_offset_min ?? null) : undefined;
    if (offset_min !== this._kept_min) keep(KEPT, is_curtained ? { ship_time_offset_min: offset_min } : null);
    this._kept_min = offset_min;
    if (is_curtained) open.forget_ship();
    this._palette.be_clock(is_curtained);
    this._draw_shut(is_curtained);
    if (is_curtained) this._draw(open, { now_s, stale: open.stale(now_s) });
    return is_curtained;
  }

  /** Take everything off the document, or put it back as it was. */
  _draw_shut(is_shut) {
    if (is_shut === this._clock.isConnected) return;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    if (is_shut) {
      this._behind = [...document.body.children];
      document.body.replaceChildren(this._clock);
      document.documentElement.dataset.clock = "";
      document.title = TITLE;
    } else {
      document.body.replaceChildren(...this._behind);
      this._behind = [];
      delete document.documentElement.dataset.clock;
      document.title = this._title;
    }
  }

  /** Show ship's time and UTC; where nobody knows it any more, no time is shown. */
  _draw(picture, { now_s, stale }) {
    const utc_ms = stale ? null : picture.utc_ms(now_s);
    const offset_min = picture.curtain?.ship_time_offset_min ?? null;
    say(this._ship, time(utc_ms, offset_min));
    say(this._utc, `${time(utc_ms, 0)} UTC`);
  }

  async _ask() {
    if (this._is_asking) return;
    this._is_asking = true;
    let title = "Name and PIN";
    const pin = { type: "password", maxlength: 64, required: true };
    for (;;) {
      const said = await asked(title, [["person", "Name", { required: true }], ["pin", "PIN", pin]], "OK");
      if (said === null || !this._clock.isConnected || (await this._is_raised(said))) break;
      title = "Not accepted. Name and PIN";
    }
    this._is_asking = false;
  }

  async _is_raised({ person, pin }) {
    try {
      return (await this._raise({ down: false, person, pin })).accepted;
    } catch {
      return false; // nobody has heard it
    }
  }
}

function time(utc_ms, offset_min) {
  const at = new Date(utc_ms === null || offset_min === null ? Number.NaN : utc_ms + offset_min * MINUTE_MS);
  return Number.isFinite(at.getTime()) ? at.toISOString().slice(11, 19) : "--:--:--";
}
