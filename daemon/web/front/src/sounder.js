// The sounder of a station that has only a browser: docs/mqtt.md, "A page that is a station".

import { Conductor } from "./conductor.js";
import { play } from "./tones.js";

/** An output whose own clock has stood still for so long plays nothing, whatever the browser says of it. */
const HUNG_S = 2;
/** A test sound that was asked for longer ago is not played: nobody waits for it any more. */
const TEST_WITHIN_S = 10;
const TEST_LASTS_S = 2;
const FULL = 100;
/** Between these a warning sounds again (MSC.302(87), IEC 62923-1: at most five minutes). */
const SHORTEST_S = 30;
const LONGEST_S = 300;

export class Sounder {
  constructor({ open_audio }) {
    this._open = open_audio;
    this._audio = null;
    this._moved_s = null;
    this._seen_s = -1;
    this._conductor = new Conductor();
    this._stop = null;
    this._signal = null;
    this._has_hung = false;
    this._test_ends_s = 0;
    this._played = null;
    this.volume = FULL;
  }

  /** Somebody touched the page: now the browser lets it play. */
  touched() {
    try {
      if (this._has_hung || this._audio?.state === "closed") this._renew();
      this._audio ??= this._open();
      this._audio.resume()?.catch?.(() => {});
    } catch {
      this._audio = null; // no sound here: it is not armed, and says so
    }
  }

  /** An output that stood still, as after its cable was out, is not waited for: the next touch opens another. */
  _renew() {
    this._end();
    this._audio?.close?.()?.catch?.(() => {});
    this._audio = null;
    this._moved_s = null;
    this._has_hung = false;
  }

  /** Whether it would be heard: the browser lets it play, and the output's own clock goes on. */
  armed(now_s) {
    const audio = this._audio;
    if (!audio || audio.state !== "running") {
      this._moved_s = null;
      this._has_hung = false;
      return false;
    }
    if (audio.currentTime !== this._seen_s) {
      this._seen_s = audio.currentTime;
      this._moved_s = now_s;
    }
    this._has_hung = now_s - this._moved_s > HUNG_S;
    return !this._has_hung;
  }

  /** Look at what is to sound now, and begin or end it. */
  look(picture, station, now_s) {
    const own = picture.one("station", station);
    if (!own || own.sounder !== "page") return this._end();
    if (!this.armed(now_s)) {
      this._conductor = new Conductor(); // what nobody heard is new, and sounds at once, when somebody can
      return this._end();
    }
    const sounding = picture.sounding(station);
    const is_lost = picture.lost(now_s) && (own.sounds || sounding.length > 0);
    const signal = this._conductor.due(sounding, {
      stale: is_lost,
      now_s,
      warning_every_s: Math.min(Math.max(own.warning_every_s, SHORTEST_S), LONGEST_S),
    });
    if (signal !== null) this._begin(signal, own);
    else if (!is_lost && sounding.length === 0 && !(this._signal === "TEST" && now_s < this._test_ends_s)) this._end();
    this._look_at_test(picture, own, now_s);
    return undefined;
  }

  _look_at_test(picture, own, now_s) {
    const said = own.test_sound;
    const up = picture.up(now_s);
    if (!said || said.nonce === this._played || up === null || picture.is_old(own)) return;
    this._played = said.nonce;
    if (up - said.asked_up > TEST_WITHIN_S) return;
    this._begin("WARNING", own);
    this._signal = "TEST";
    this._test_ends_s = now_s + TEST_LASTS_S;
  }

  _begin(signal, own) {
    this._end();
    if (!this._audio) return;
    const volume = Math.max(Math.min(this.volume, FULL), own.volume_floor);
    this._stop = play(this._audio, signal, { tones: own.tones, volume });
    this._signal = signal;
    document.documentElement.dataset.sounds = signal;
  }

  _end() {
    this._stop?.();
    this._stop = null;
    this._signal = null;
    delete document.documentElement.dataset.sounds;
  }
}
