// The line above everything: the ship, what she is doing, how careful she is, and which time it is.

import { el, mark, say } from "./draw.js";
import { BY_SUN, Palette, PALETTES } from "./palette.js";

const MINUTE_MS = 60_000;

export class Header {
  constructor(parent, { on_visitor, on_station }) {
    const part = (name, node = "span") => (this[name] = el(node, { class: name }));
    const times = el("span", { class: "times" }, part("utc", "time"), part("ship_time", "time"));
    this.palette = new Palette({ changed: () => this._mark() });
    this._palettes = [...PALETTES, BY_SUN].map((name) =>
      el("button", { type: "button", data: { choose: name }, on: { click: () => this.palette.choose(name) } }, name),
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

  _mark() {
    for (const each of this._palettes) each.setAttribute("aria-pressed", String(each.dataset.choose === this.palette.chosen));
  }

  draw(picture, { now_s, stale, settings }) {
    say(this.ship, settings.ship.name);
    const ship = picture.ship;
    const is_old = stale || !ship || picture.is_old(ship);
    const was = is_old ? "? was " : "";
    say(this.situation, ship ? `${was}${situation(ship, picture.up(now_s))}` : "SITUATION ?");
    say(this.level, ship ? level(ship, was) : "SECURITY LEVEL ?");
    mark(this.level, "level", is_old ? null : ship.security_level);
    const silent = picture.silent_s(now_s);
    const state = picture.status?.state ?? "not heard of";
    const heard = silent === null ? "not heard of" : `heard ${Math.floor(silent)} s ago`;
    say(this.feed, stale ? `ispsd: ${heard}` : [`ispsd ${state}`, ...feeds(picture)].join(" · "));
    mark(this.feed, "state", stale ? null : state);
    this.feed.title = stale ? "" : (picture.status?.reasons ?? []).join("; ");
    const utc_ms = picture.utc_ms(now_s);
    say(this.utc, utc_ms === null ? "--:-- UTC" : `${clock(utc_ms)} UTC`);
    this.palette.follow(picture, { stale, utc_ms });
    const offset_min = ship?.ship_time_offset_min;
    say(
      this.ship_time,
      utc_ms === null || is_old ? "--:-- ship" : `${clock(utc_ms + offset_min * MINUTE_MS)} ship ${offset(offset_min)}`,
    );
  }
}

function situation(ship, up) {
  const { begins_up, ends_up } = ship.blackout ?? {};
  const blackout = up === null || !ship.blackout || up >= ends_up ? null : up < begins_up ? "BLACKOUT PLANNED" : "PLANNED BLACKOUT";
  const beside = [ship.threat && "THREAT AREA", blackout, ship.settling && "SETTLING", ship.ais_off_by && "AIS OFF BY ORDER"];
  return [ship.situation.toUpperCase(), ...beside.filter(Boolean)].join(" · ");
}

/** How what ispsd hears stands: which devices are not up, and what came that is none of the contract. */
function feeds(picture) {
  const devices = picture.all("driver").filter((each) => !picture.is_old(each));
  const down = devices.filter(({ link }) => link !== "up").length;
  const words = [];
  if (devices.length) words.push(down ? `${down} OF ${devices.length} DEVICES NOT UP` : `${devices.length} devices up`);
  if (picture.unreadable) words.push(`${picture.unreadable} messages not understood`);
  return words;
}

function level(ship, was) {
  const port = ship.port_level === null ? "" : ` · PORT ${ship.port_level}`;
  const force = ship.level_in_force === false ? " · MEASURES NOT SET" : "";
  return `${was}SECURITY LEVEL ${ship.security_level}${port}${force}`;
}

function clock(ms) {
  const at = new Date(ms);
  return Number.isFinite(at.getTime()) ? at.toISOString().slice(11, 19) : "--:--";
}

function offset(minutes) {
  const hours = Math.abs(minutes) / 60;
  return `${minutes < 0 ? "−" : "+"}${Number.isInteger(hours) ? hours : hours.toFixed(2)}`;
}
