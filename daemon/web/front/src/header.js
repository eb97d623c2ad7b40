// The line above everything: the ship, what she is doing, how careful she is, and which time it is.

import { el, mark, say } from "./draw.js";
import { keep, kept } from "./kept.js";
import { own_position, palette, sun_deg } from "./sun.js";

const PALETTES = ["bright", "day", "dusk", "night"];
const MINUTE_MS = 60_000;
const BY_SUN = "sun";

export class Header {
  constructor(parent, { on_visitor, on_station }) {
    const part = (name, node = "span") => (this[name] = el(node, { class: name }));
    const times = el("span", { class: "times" }, part("utc", "time"), part("ship_time", "time"));
    this._by = kept("palette_by", "hand");
    this._palettes = [...PALETTES, BY_SUN].map((name) =>
      el("button", { type: "button", data: { choose: name }, on: { click: () => this._choose(name) } }, name),
    );
    this.visitor = el("button", { type: "button", class: "visitor", on: { click: on_visitor } }, "visitor view");
    this.setup = el("button", { type: "button", class: "setup", on: { click: on_station } }, "station …");
    parent.append(
      part("ship", "h1"),
      part("situation"),
      part("level"),
      part("feed"),
      times,
      el("nav", { class: "palettes", "aria-label": "palette" }, ...this._palettes, this.visitor, this.setup),
    );
    this._mark();
  }

  /** A hand beats the sun, until it gives it back. */
  _choose(name) {
    this._by = name === BY_SUN ? BY_SUN : "hand";
    keep("palette_by", this._by);
    if (name !== BY_SUN) this._show(name);
    this._mark();
  }

  _show(name) {
    if (document.documentElement.dataset.palette === name) return;
    document.documentElement.dataset.palette = name;
    keep("palette", name);
    this._mark();
  }

  _mark() {
    const shown = this._by === BY_SUN ? BY_SUN : document.documentElement.dataset.palette;
    for (const each of this._palettes) each.setAttribute("aria-pressed", String(each.dataset.choose === shown));
  }

  /** Where nobody knows where the ship is, or when it is, the palette stays. */
  _follow_sun(picture, stale, utc_ms) {
    if (this._by !== BY_SUN || stale || utc_ms === null) return;
    const position = own_position(picture.all("point").filter((point) => !picture.is_old(point)));
    if (position) this._show(palette(sun_deg(position, utc_ms), document.documentElement.dataset.palette));
  }

  draw(picture, { now_s, stale, settings }) {
    say(this.ship, settings.ship.name);
    const ship = picture.ship;
    const was = stale ? "? was " : "";
    say(this.situation, ship ? `${was}${ship.situation.toUpperCase()}${ship.threat ? " · THREAT AREA" : ""}` : "?");
    say(this.level, ship ? level(ship, was) : "SECURITY LEVEL ?");
    mark(this.level, "level", ship && !stale ? ship.security_level : null);
    const silent = picture.silent_s(now_s);
    const state = picture.status?.state ?? "not heard of";
    say(this.feed, stale ? `ispsd: ${silent === null ? "not heard of" : `heard ${Math.floor(silent)} s ago`}` : `ispsd ${state}`);
    mark(this.feed, "state", stale ? null : state);
    this.feed.title = stale ? "" : (picture.status?.reasons ?? []).join("; ");
    const utc_ms = picture.utc_ms(now_s);
    say(this.utc, utc_ms === null ? "--:-- UTC" : `${clock(utc_ms)} UTC`);
    this._follow_sun(picture, stale, utc_ms);
    const offset_min = ship?.ship_time_offset_min;
    say(
      this.ship_time,
      utc_ms === null || !ship ? "--:-- ship" : `${clock(utc_ms + offset_min * MINUTE_MS)} ship ${offset(offset_min)}`,
    );
  }
}

function level(ship, was) {
  const port = ship.port_level === null ? "" : ` · PORT ${ship.port_level}`;
  const force = ship.level_in_force === false ? " · MEASURES NOT SET" : "";
  return `${was}SECURITY LEVEL ${ship.security_level}${port}${force}`;
}

const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

function offset(minutes) {
  const hours = Math.abs(minutes) / 60;
  return `${minutes < 0 ? "−" : "+"}${Number.isInteger(hours) ? hours : hours.toFixed(2)}`;
}
