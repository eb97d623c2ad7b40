// Say that the station is alive: each 10 s, at once when it changes, and at once to a synthetic alert (docs/mqtt.md).

const EVERY_S = 10;
/** However many synthetic alerts come, one in so long is answered: more proofs of life than that ispsd would refuse. */
const ANSWER_S = 1;

export class Alive {
  /** `tell(body)` sends it; it may fail: the next one is said anyway. */
  constructor({ tell }) {
    this._tell = tell;
    this._said = null;
    this._said_s = null;
    this._answered_s = null;
  }

  /** Another station, or another connection: it is said at once. */
  begin_anew() {
    this._said = null;
  }

  /** Look whether it is to be said now. Without a session there is nobody to say it to. */
  look(so, now_s) {
    const { session, shown, fresh, sound_armed, of, touched_s } = so;
    if (!session) {
      this._said = null;
      return;
    }
    const proof = [session, shown, fresh, sound_armed, of, touched_s === null].join();
    if (proof === this._said && now_s - this._said_s < EVERY_S) return;
    this._said = proof;
    this._said_s = now_s;
    this._tell(body(so));
  }

  /** Answer a synthetic alert, so that ispsd knows that alerts come here; that says nothing of a person. */
  answer(nonce, so, now_s) {
    if (!so.session || (this._answered_s !== null && now_s - this._answered_s < ANSWER_S)) return;
    this._answered_s = now_s;
    this._tell({ ...body(so), selftest: nonce });
  }
}

function body({ shown, fresh, sound_armed, of, touched_s }) {
  return { shown, fresh, sound_armed, touched_s, ...(of ? { of } : {}) };
}
