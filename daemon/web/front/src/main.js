// The page of a watch station. It shows what the broker tells (docs/mqtt.md), says that it is alive, and sounds where its
// station has no other sounder. Nothing that it shows is older than it says.

import { Acts } from "./acts.js";
import { AlertList } from "./alerts.js";
import { Alive } from "./alive.js";
import { checked } from "./checked.js";
import { ContactList } from "./contacts.js";
import { Corner } from "./corner.js";
import { Curtain, kept_clock } from "./curtain.js";
import { el, mark, say } from "./draw.js";
import { Finger } from "./finger.js";
import { Header } from "./header.js";
import { Link } from "./link.js";
import { inhibited } from "./orders.js";
import { Panels } from "./panels.js";
import { Pictures } from "./pictures.js";
import { identity, SetUp } from "./setup.js";
import { Sounder } from "./sounder.js";
import { Strip } from "./strip.js";
import { TestList } from "./tests.js";
import { Visitor } from "./visitor.js";
import { WatchBar } from "./watch.js";

/** How often sounds and silence are looked at, and how often ages are drawn anew. */
const LOOK_MS = 100;
const DRAW_S = 0.25;
/** What a person waits for is drawn at once, but the whole page not more often than this, whatever comes. */
const AGAIN_S = 0.05;
const AWAITED = ["alert", "permit", "inhibit", "test", "station", "ship", "crew"];
/** Calendar and monotonic clock part by so much only where the computer slept or its clock was set. */
const PARTED_S = 2;
/** So long after the last touch a question that stands open is called off. */
const LEFT_S = 120;

const now_s = () => performance.now() / 1000;

class Page {
  constructor(settings) {
    this.settings = settings;
    this.root = `ispsd/${settings.ship.imo}/v1`;
    this.pictures = new Pictures(this.root, { started_s: now_s(), was_down: kept_clock() });
    this.sounder = new Sounder({ open_audio: () => new AudioContext() });
    this.acts = new Acts({
      send: (verb, members) => this.link.ask(verb, this.picture.session, members),
      person: () => this.person,
      picture: () => this.picture,
    });
    const ask = (verb, members, heard) => this.acts.ask(verb, members, heard);
    this.alive = new Alive({ tell: (body) => this.acts.tell("alive", body) });
    this.finger = new Finger();
    this.touched_s = null;
    this.soon = null;
    this.visitor = new Visitor({ tell: (on) => this._tell_visitor(on) });
    this.fault = null;
    this.is_drawn = true;
    this.parted_s = null;
    this.was_stale = null;
    this.drawn_s = 0;
    const at = (id) => document.getElementById(id);
    this.header = new Header(at("header"), {
      on_visitor: () => {
        this.visitor.press(now_s());
        this._look(true);
      },
      on_station: () => this.setup.open(),
    });
    this.alerts = new AlertList(at("alerts"), {
      acknowledge: (alert) => this.acts.acknowledge(alert),
      inhibit: (alert) => this.acts.act(inhibited(alert)),
      strip: new Strip(at("strip")),
    });
    this.contacts = new ContactList(at("contacts"));
    this.tests = new TestList(at("tests"), { ask });
    this.panels = new Panels(at("panels"), { act: (what) => this.acts.act(what) });
    this.watch = new WatchBar(at("watch"), {
      ask,
      set_volume: (percent) => (this.sounder.volume = percent),
    });
    this.curtain = new Curtain({
      pictures: this.pictures,
      palette: this.header.palette,
      ask: (members, heard) => ask("curtain", members, heard),
      raise: (members) => this.link.ask("curtain", this.pictures.open.session, members),
    });
    this.corner = new Corner(at("corner"), {
      on_curtain: async () => {
        this.watch.say((await this.curtain.press()) ?? "");
        this._look(true);
      },
      step: (by) => this.header.palette.step(by),
    });
    this.setup = new SetUp(document.body, { stations: settings.stations, changed: () => this._connect() });
    at("band").hidden = !settings.demo;
    // A finger that comes down opens no sound, in any browser; one that goes up does.
    for (const event of ["pointerdown", "pointerup", "pointercancel", "click", "keydown"]) {
      addEventListener(event, (touch) => this._touch(touch), { capture: true });
    }
    document.addEventListener("visibilitychange", () => this._look());
    addEventListener("pagehide", () => {
      this.link?.close();
      this.pictures.connection_lost();
    });
    // A browser may keep the page as it was and show it again: it has to connect then.
    addEventListener("pageshow", (event) => event.persisted && this._connect());
    setInterval(() => this._look(), LOOK_MS);
    this._connect();
  }

  /** What is shown of the ship. */
  get picture() {
    return this.pictures.now;
  }

  /** Who has the watch at this station. */
  get person() {
    return this.picture.one("station", this.station)?.person;
  }

  _connect() {
    this.link?.close();
    this.pictures.connection_lost();
    const { station, password } = identity();
    this.station = this.pictures.station = this.settings.stations.includes(station) ? station : null;
    this.alive.begin_anew();
    this.link = new Link({
      address: this.settings.broker,
      root: this.root,
      station: this.station,
      password,
      on: {
        connected: () => {
          this.pictures.connected_anew();
          this.setup.settled();
        },
        message: (topic, payload) => {
          const kind = this.pictures.take(topic, payload, now_s());
          if (kind === "curtain") this._look(true); // it waits for nothing
          else if (AWAITED.includes(kind)) this._look_soon();
        },
        asked: (nonce, payload) => this._answer(nonce, payload),
        lost: (reason, is_refused) => {
          this.pictures.connection_lost();
          this._look();
          if (is_refused && !this.pictures.is_curtained) this.setup.refused(reason);
        },
      },
    });
    this.link.open();
    this._look();
  }

  _touch(touch) {
    this.touched_s = now_s();
    this.finger.take(touch, this.touched_s);
    this.sounder.touched();
    this._look_soon();
  }

  _tell_visitor(on) {
    const { person, station } = this;
    if (station) this.acts.tell("visitor_view", { on, ...(person ? { person } : {}) });
  }

  /** Behind what is being done now, so that no drawing delays what somebody has pressed. */
  _look_soon() {
    const wait_s = Math.max(0, this.drawn_s + AGAIN_S - now_s());
    this.soon ??= setTimeout(() => {
      this.soon = null;
      this._look(true);
    }, wait_s * 1000);
  }

  /** Sound, prove, and draw; the picture is drawn `at_once` where a person has just done something. */
  _look(at_once = false) {
    const at_s = now_s();
    this._look_at_clocks(at_s);
    this._let_go(at_s);
    if (this.curtain.look(at_s)) return this._rest(at_s);
    const { picture, station } = this;
    const stale = picture.stale(at_s);
    const armed = this.sounder.armed(at_s);
    this.fault = null;
    if (station) {
      this._safely("sound", () => this.sounder.look(picture, station, at_s)); // before anything is drawn: no picture delays a sound
      this._prove(at_s);
    }
    const can_wait = this.finger.holds(this.drawn_s, at_s) || (!at_once && at_s - this.drawn_s < DRAW_S);
    if (can_wait && stale === this.was_stale) return;
    this.was_stale = stale;
    this.drawn_s = at_s;
    const visitor = this.visitor.draw(picture, this.header.visitor, at_s);
    const { is_down } = this.pictures;
    const told = { now_s: at_s, stale, station, armed, visitor, is_down, settings: this.settings };
    for (const part of ["header", "tests", "alerts", "contacts", "panels", "watch", "corner"]) {
      this._safely(part, () => this[part].draw(picture, told));
    }
    this.is_drawn = this.fault === null;
    mark(document.body, "stale", stale || !this.is_drawn); // what could not be drawn is as it was before
    this._banner(stale, at_s);
  }

  /** Behind the curtain nothing sounds, and nobody is told that this page would show or sound anything. */
  _rest(at_s) {
    this.sounder.look(this.pictures.open, this.station, at_s); // what sounded ends
    this.alive.begin_anew();
    this.was_stale = null; // what comes back is drawn before it is seen
  }

  /** One part that fails takes no other with it, and what it leaves on the screen is not called true. */
  _safely(part, act) {
    try {
      act();
    } catch (error) {
      this.fault ??= `${part}: ${error.message}`;
    }
  }

  /** A question that somebody left open covers the alerts, and what was typed into it: it is called off. */
  _let_go(at_s) {
    if (at_s - (this.touched_s ?? at_s) < LEFT_S) return;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  }

  /** What is so of this station now; null before it is known who else speaks for it. */
  _proof(at_s) {
    const { picture, station } = this;
    const own = picture.one("station", station);
    if (!own) return null;
    return {
      session: picture.connected ? picture.session : null,
      shown: document.visibilityState === "visible" && this.is_drawn, // whose drawing fails shows nothing that is so
      fresh: picture.fresh(at_s),
      sound_armed: own.sounder === "page" && this.fault === null && this.sounder.armed(at_s),
      of: own.sounder === "program" ? "page" : null,
      touched_s: this.touched_s === null ? null : Math.max(0, at_s - this.touched_s),
    };
  }

  _prove(at_s) {
    const proof = this._proof(at_s);
    if (proof) this.alive.look(proof, at_s);
  }

  /** Answer a synthetic alert of the present session; nobody sees it. */
  _answer(nonce, payload) {
    const at_s = now_s();
    const proof = this._proof(at_s);
    if (proof && checked("selftest", payload)?.session === proof.session) this.alive.answer(nonce, proof, at_s);
  }

  _look_at_clocks(at_s) {
    const parted_s = Date.now() / 1000 - at_s;
    if (this.parted_s !== null && Math.abs(parted_s - this.parted_s) > PARTED_S) this.pictures.forget_beat();
    this.parted_s = parted_s;
  }

  _banner(stale, at_s) {
    const banner = document.getElementById("banner");
    banner.hidden = !stale && this.fault === null;
    if (banner.hidden) return;
    if (!stale) return say(banner, `THIS PAGE HAS A FAULT · do not rely on it · load it again · ${this.fault}`);
    const silent_s = this.picture.silent_s(at_s);
    const since = silent_s === null ? "not heard of yet" : `not heard for ${Math.floor(silent_s)} s`;
    const what = this.picture.connected ? "ISPSD" : "THE BROKER";
    return say(banner, `NOTHING HERE IS CERTAIN · ${what} ${since} · go by eye and by rounds · call the ETO`);
  }
}

async function begin() {
  const banner = document.getElementById("banner");
  try {
    const answer = await fetch("settings.json", { cache: "no-store", credentials: "omit" });
    if (!answer.ok) throw new Error(`settings: ${answer.status}`);
    new Page(await answer.json());
  } catch (error) {
    say(banner, `THIS PAGE HAS NO SETTINGS · ${error.message} · trying again`);
    setTimeout(begin, 5000);
  }
}

document.body.append(el("noscript", {}, "This page needs JavaScript."));
begin();
