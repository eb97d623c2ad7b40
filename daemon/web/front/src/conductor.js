// Which signal begins now? The loudest of what sounds here, at its own pace; what is new sounds at once. Pure.
// The same as daemon/sound/conductor.py; a test holds the two together.

import { PULSES, SIGNALS } from "./tones.js";

export class Conductor {
  constructor() {
    this._known = new Set();
    this._began_s = {};
    this._was_stale = false;
  }

  /** Return the signal that begins now, null where none does.
   *  `sounding`: alerts as they are told; `stale`: nothing is known any more, and somebody here must be told. */
  due(sounding, { stale, now_s, warning_every_s = PULSES.WARNING.every_s }) {
    if (stale) {
      const is_new = !this._was_stale;
      this._was_stale = true;
      this._known = new Set();
      return this._begin("STALE", now_s, PULSES.STALE.every_s, is_new);
    }
    this._was_stale = false;
    if (sounding.length === 0) {
      this._known = new Set();
      return null;
    }
    const each = sounding.map((alert) => ({
      mark: `${alert.id}\n${alert.instance}\n${alert.priority}`,
      signal: SIGNALS[alert.priority],
    }));
    const loudest = each.some((one) => one.signal === "ALARM") ? "ALARM" : "WARNING";
    const is_new = each.some((one) => one.signal === loudest && !this._known.has(one.mark));
    this._known = new Set(each.map((one) => one.mark));
    const every_s = loudest === "WARNING" ? warning_every_s : PULSES[loudest].every_s;
    return this._begin(loudest, now_s, every_s, is_new);
  }

  _begin(signal, now_s, every_s, at_once) {
    const began_s = this._began_s[signal];
    if (!at_once && began_s !== undefined && now_s - began_s < every_s) return null;
    this._began_s[signal] = now_s;
    return signal;
  }
}
