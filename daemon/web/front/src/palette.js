// How bright is the page? A hand on this page beats what ispsd tells all pages, and that beats the sun; no alert ever
// brightens it. What was shown last is kept over a reload and a reboot (first.js paints it).

import { keep, kept } from "./kept.js";
import { own_position, palette, sun_deg } from "./sun.js";

/** The darkest last. */
export const PALETTES = ["bright", "day", "dusk", "night"];
export const BY_SUN = "sun";
const BY_HAND = "hand";
const NIGHT = "night";

export class Palette {
  /** `changed()` is called when another one is shown, or another rule chooses it. */
  constructor({ changed }) {
    this._changed = changed;
    this._by = kept("palette_by");
    this._is_clock = false;
  }

  get shown() {
    return document.documentElement.dataset.palette;
  }

  /** What a person chose: a palette, the sun, or nothing yet. */
  get chosen() {
    return this._by === BY_SUN ? BY_SUN : this.shown;
  }

  /** A hand beats topic and sun, until it gives it back. */
  choose(name) {
    this._by = name === BY_SUN ? BY_SUN : BY_HAND;
    keep("palette_by", this._by);
    if (name !== BY_SUN) this._show(name);
    this._changed();
  }

  /** One step darker (1) or brighter (-1). */
  step(by) {
    const at = PALETTES.indexOf(this.shown) + by;
    this.choose(PALETTES[Math.min(Math.max(at, 0), PALETTES.length - 1)]);
  }

  /** Follow what is told, then the sun; where nobody knows where the ship is, or when it is, the palette stays. */
  follow(picture, { stale, utc_ms }) {
    if (this._by === BY_HAND || stale) return;
    const told = picture.palette;
    if (told && !picture.is_old(told)) return this._show(told.palette);
    if (this._by !== BY_SUN || utc_ms === null) return;
    const position = own_position(picture.all("point").filter((point) => !picture.is_old(point)));
    if (position) this._show(palette(sun_deg(position, utc_ms), this.shown));
  }

  /** A clock is shown in the dark, whatever was chosen; behind it nothing is lost. */
  be_clock(is_clock) {
    if (is_clock === this._is_clock) return;
    this._is_clock = is_clock;
    const last = kept("palette");
    document.documentElement.dataset.palette = is_clock || !PALETTES.includes(last) ? NIGHT : last;
  }

  _show(name) {
    if (this._is_clock || this.shown === name) return;
    document.documentElement.dataset.palette = name;
    keep("palette", name);
    this._changed();
  }
}
