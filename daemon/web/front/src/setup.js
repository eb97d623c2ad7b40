// Which station is this, and by which word does the broker know it? Entered once by the ETO, kept in this browser.

import { el, say } from "./draw.js";
import { keep, kept } from "./kept.js";

/** Return the station of this browser: its id and its password; nulls where it only shows. */
export function identity() {
  const said = kept("station", {});
  return { station: said?.station ?? null, password: said?.password ?? null };
}

export class SetUp {
  constructor(parent, { stations, changed }) {
    this._station = el(
      "select",
      { name: "station" },
      el("option", { value: "" }, "none: only show"),
      ...stations.map((id) => el("option", { value: id }, id)),
    );
    this._password = el("input", { name: "password", type: "password", autocomplete: "off", maxlength: 200 });
    this._why = el("p", { class: "why" });
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", {}, "Which station is this?"),
      this._why,
      el("label", {}, "Station ", this._station),
      el("label", {}, "Its password at the ship's broker ", this._password),
      el("p", {}, "It is kept in this browser, and sent to the broker alone. Nothing typed: it stays as it is."),
      el("button", { type: "submit", class: "ok" }, "Keep"),
      el("button", { type: "button", class: "cancel", on: { click: () => this._dialog.close() } }, "Cancel"),
    );
    form.addEventListener("submit", () => {
      const station = this._station.value || null;
      const before = identity();
      // Nothing typed leaves the word that the same station has: who only looked takes no station off the air.
      const password = this._password.value || (station === before.station ? before.password : null);
      keep("station", station && { station, password });
      this._is_asked = false;
      this._password.value = "";
      changed();
    });
    this._dialog = el("dialog", { class: "setup" }, form);
    this._dialog.addEventListener("close", () => (this._password.value = ""));
    this._is_asked = false;
    parent.append(this._dialog);
  }

  open(why = "") {
    say(this._why, why);
    if (this._dialog.open) return; // somebody is typing into it
    this._station.value = identity().station ?? "";
    this._dialog.showModal();
  }

  /** The broker does not take us: it is asked once, not again at each attempt that follows. */
  refused(why) {
    if (!this._is_asked) this.open(why);
    this._is_asked = true;
  }

  /** It takes us after all. */
  settled() {
    if (this._is_asked) this._dialog.close();
    this._is_asked = false;
  }
}
