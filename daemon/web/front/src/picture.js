// What is known of the ship, from what the broker has told? Pure: it is told the time, which no other clock must know.
//
// The rules are those of docs/mqtt.md: the session is that of the newest `status` that is not offline; an offline of any
// other session is a late will; what is of another session, or of a connection before this one, is old until the snapshot
// has come and gone then; ages are reckoned from the newest heartbeat and the own monotonic clock.

import { checked } from "./checked.js";
import { ALONE, BY_ID } from "./topics.js";

/** Without a heartbeat for so long everything is old, in seconds: they come each 4 s, and the banner within 5. */
export const STALE_S = 4.9;
/** Without one for so long nothing may be called fresh, and a sounder that had called is told so. */
export const LOST_S = 15;
/** More things of one kind than this no ship has: what is beyond is not kept. */
export const MOST = 5000;

/** So many results of tests that are over are kept for whoever stands there. */
const MOST_RESULTS = 8;
/** Of these a message that cannot be believed leaves nothing known; a heartbeat or a snapshot is only missed. */
const FORGOTTEN = ["status", "ship", "crew", "palette"];

export class Picture {
  constructor(root, { started_s }) {
    this.root = root;
    this.started_s = started_s;
    this.connection = 0;
    this.connected = false;
    this.session = null;
    this.ended = false;
    this.status = null;
    this.ship = null;
    this.crew = null;
    this.palette = null;
    this.curtain = null;
    this.unreadable = 0;
    this.by_id = Object.fromEntries(BY_ID.map((kind) => [kind, new Map()]));
    this.results = new Map(); // how tests ended: their topics are cleared at once, and nobody would have read it
    this._beat = null;
    this._good_s = null;
    this._may_drop = false;
    this._snapshot = null;
  }

  /** A new connection tells everything again; until it has, what was told before is old. */
  connected_anew() {
    this.connection += 1;
    this.connected = true;
    this.session = null;
    this.ended = false;
    this._beat = null;
    this._snapshot = null;
  }

  connection_lost() {
    this.connected = false;
  }

  /** The computer slept, or its clock jumped: nobody knows how old anything is. */
  forget_beat() {
    this._beat = null;
  }

  /** Another picture of the same session has heard a heartbeat that this one has not. */
  adopt_beat(other) {
    if (this._beat || this.session === null || this.session !== other.session) return;
    this._beat = other._beat;
    this._good_s = other._good_s;
  }

  /** Nothing of the ship is to be known here any more but the time. */
  forget_ship() {
    for (const all of [...Object.values(this.by_id), this.results]) all.clear();
    this.ship = this.crew = this.palette = null;
    this._snapshot = null;
  }

  /** Take what the broker says; return the kind that it was of, undefined where it is none of ours. */
  take(topic, payload, now_s) {
    if (!topic.startsWith(`${this.root}/`)) return undefined;
    const [kind, id, ...more] = topic.slice(this.root.length + 1).split("/");
    if (more.length) return undefined;
    if (!id && !ALONE.includes(kind)) return undefined;
    if (id && !BY_ID.includes(kind)) return undefined;
    const said = checked(kind, payload);
    if (said === undefined) {
      this.unreadable += 1;
      if (id) this.by_id[kind].delete(id); // what was there before is no longer so
    }
    if (kind === "curtain") this._take_curtain(said);
    else if (!id && (said ?? null) === null) this._forget(kind, said);
    else if (id && said !== undefined) this._take_one(kind, id, said);
    else if (!id) this[`_take_${kind}`](said, now_s);
    return kind;
  }

  /** What stood under a topic is no longer so: it was cleared, or is not what the contract says. */
  _forget(kind, said) {
    if (kind === "snapshot" && said === null) this._snapshot = null; // the curtain moves: not all is told
    if (!FORGOTTEN.includes(kind)) return;
    this[kind] = null;
    if (kind !== "status") return;
    this.session = null;
    this._beat = null;
  }

  _take_one(kind, id, said) {
    const all = this.by_id[kind];
    if (kind === "test" && said !== null) this._take_result(id, said);
    if (said === null || (kind === "alert" && said.state === "N")) all.delete(id);
    else if (all.has(id) || all.size < MOST) all.set(id, { ...said, id, connection: this.connection });
  }

  _take_result(id, said) {
    this.results.delete(id);
    if (said.state !== "done") return;
    this.results.set(id, { ...said, id, connection: this.connection });
    if (this.results.size > MOST_RESULTS) this.results.delete(this.results.keys().next().value);
  }

  _take_status(said) {
    if (said.state === "offline") {
      if (said.session === this.session) this.ended = true;
      return;
    }
    if (said.session !== this.session) this._beat = null;
    this.session = said.session;
    this.status = said;
    this.ended = said.state === "stopped";
  }

  _take_heartbeat(said, now_s) {
    if (said.session !== this.session) return;
    this._beat = { up: said.up, at_s: now_s, utc_ms: Date.parse(said.utc) };
    this._good_s = now_s;
    // Whatever is retained was told before the first heartbeat that comes after the snapshot.
    if (this._snapshot === this.session) this._drop_old();
  }

  _take_snapshot(said) {
    this._snapshot = said.session;
  }

  /** It is down whatever its session, and also where nobody can read what it says. */
  _take_curtain(said) {
    this.curtain = said === null ? null : { ...said, connection: this.connection };
  }

  _take_palette(said) {
    this.palette = { ...said, connection: this.connection };
  }

  _take_ship(said) {
    this.ship = { ...said, connection: this.connection };
  }

  _take_crew(said) {
    this.crew = { ...said, connection: this.connection };
  }

  _drop_old() {
    for (const all of Object.values(this.by_id)) {
      for (const [id, each] of all) if (this.is_old(each)) all.delete(id);
    }
    // The broker has told all that it remembers on this connection: a curtain is not among it.
    if (this.curtain && this.curtain.connection !== this.connection) this.curtain = null;
    if (this.ship && this.is_old(this.ship)) this.ship = null;
    if (this.crew && this.is_old(this.crew)) this.crew = null;
  }

  /** Whether a thing was told by another session than the present one, or before this connection. */
  is_old(each) {
    return each.session !== this.session || each.connection !== this.connection;
  }

  /** Whether everything was told: before, that there is no alert means nothing. */
  get complete() {
    return this.session !== null && this._snapshot === this.session;
  }

  /** Whether nothing that is shown can be relied on. */
  stale(now_s) {
    return !this.connected || this.ended || !this._beat || now_s - this._beat.at_s >= STALE_S;
  }

  /** Whether what is known is true now, as a proof of life means it. */
  fresh(now_s) {
    return this.connected && !this.ended && !!this._beat && now_s - this._beat.at_s <= LOST_S;
  }

  /** Whether ispsd has not been heard of for too long. */
  lost(now_s) {
    return now_s - (this._good_s ?? this.started_s) > LOST_S;
  }

  /** Since when nothing was heard, in seconds; null where nothing ever was. */
  silent_s(now_s) {
    return this._good_s === null ? null : now_s - this._good_s;
  }

  /** Seconds since the boot of ispsd's computer; null where nobody knows. */
  up(now_s) {
    return this._beat ? this._beat.up + now_s - this._beat.at_s : null;
  }

  /** How old a payload is, in seconds; null where nobody knows. */
  age_s(each, now_s) {
    const up = this.up(now_s);
    return up === null || this.is_old(each) ? null : Math.max(0, up - each.up);
  }

  /** The time of ispsd's computer, in milliseconds of UTC; null where nobody knows. */
  utc_ms(now_s) {
    if (!this._beat || !Number.isFinite(this._beat.utc_ms)) return null;
    return this._beat.utc_ms + (now_s - this._beat.at_s) * 1000;
  }

  all(kind) {
    return [...this.by_id[kind].values()];
  }

  one(kind, id) {
    return this.by_id[kind].get(id) ?? null;
  }

  /** What sounds at a station, as the conductor wants it. */
  sounding(station) {
    return this.all("alert").filter(
      (each) => each.sounding && each.priority !== "C" && each.sounds_at.includes(station) && !this.is_old(each),
    );
  }
}
