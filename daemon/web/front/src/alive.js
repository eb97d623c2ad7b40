// Say that the station is alive: each 10 s, and at once when it changes (docs/mqtt.md).

const EVERY_S = 10;

export class Alive {
  /** `tell(body)` sends it; it may fail: the next one is said anyway. */
  constructor({ tell }) {
    this._tell = tell;
    this._said = null;
    this._said_s = null;
  }

  /** Another station, or another connection: it is said at once. */
  begin_anew() {
    this._said = null;
  }

  /** Look whether it is to be said now. Without a session there is nobody to say it to. */
  look({ session, shown, fresh, sound_armed, of, touched_s }, now_s) {
    if (!session) {
      this._said = null;
      return;
    }
    const proof = [session, shown, fresh, sound_armed, of, touched_s === null].join();
    if (proof === this._said && now_s - this._said_s < EVERY_S) return;
    this._said = proof;
    this._said_s = now_s;
    this._tell({ shown, fresh, sound_armed, touched_s, ...(of ? { of } : {}) });
  }
}
