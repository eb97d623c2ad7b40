// The list of alerts: order of MSC.302(87), one acknowledged at a time, what to do on request.

import { age, el, hhmm_z, mark, rows, say } from "./draw.js";
import { flashes, in_order, PRIORITY_WORDS, unacknowledged } from "./order.js";
import { sign } from "./signs.js";

/** More than so many are shown in a line each. */
const MANY = 10;
/** A row that came under the finger so shortly before it was pressed is not the one that was meant, in seconds. */
const MEANT_S = 0.5;

/** For the eye, as ispsd's computer had it: no age is reckoned from it. */
const raised = ({ raised_utc }) => `since ${hhmm_z(raised_utc)}`;

const instance_of = ({ id, instance }) => `${id}\n${instance}`;

export class AlertList {
  /** `acknowledge(alert)` and `inhibit(alert)` resolve with words for the person; `strip` tells what is not seen. */
  constructor(parent, { acknowledge, inhibit, strip }) {
    this._acknowledge = acknowledge;
    this._inhibit = inhibit;
    this._strip = strip;
    this._open = new Set();
    this._places = [];
    this._said = new Map(); // by alert and instance: what was said of one that is over is not said of the next
    this._head = el("h2", {});
    this._list = el("ol", { class: "alerts", "aria-label": "alerts" });
    this._none = el("p", { class: "none" });
    parent.append(this._head, this._list, this._none);
  }

  draw(picture, { now_s, stale, station, visitor }) {
    this._visitor = visitor; // what an alert tells beside its action may name what is not guarded
    const alerts = in_order(picture.all("alert"));
    const waiting = alerts.filter(unacknowledged).length;
    const is_known = !stale && picture.complete;
    say(this._head, `ALERTS ${alerts.length} · ${waiting} not acknowledged${is_known ? "" : " · not all told"}`);
    say(this._none, alerts.length ? "" : is_known ? "no alert" : "not known");
    const marks = new Set(alerts.map(instance_of));
    for (const each of this._said.keys()) if (!marks.has(each)) this._said.delete(each);
    for (const id of this._open) if (!picture.one("alert", id)) this._open.delete(id);
    // The next instance of an alert, or the same at another priority, is not the one that was read there either.
    const places = alerts.map(({ id, instance, priority }) => `${alerts.length > MANY} ${id} ${instance} ${priority}`);
    const before = this._places;
    this._places = places;
    mark(this._list, "many", alerts.length > MANY);
    rows(
      this._list,
      alerts,
      (alert) => alert.id,
      (alert) => this._make(alert),
      (row, alert) => this._update(row, alert, { picture, now_s, stale, station }),
    );
    // Where another row stood a moment ago, that one was aimed at.
    [...this._list.children].forEach((row, at) => {
      if (before[at] !== undefined && before[at] !== places[at]) row.moved_s_ = now_s;
    });
    this._strip.draw(this._list, { is_old: stale });
  }

  _make(alert) {
    const row = el("li", { data: { alert: alert.id } });
    const parts = (row.parts = {});
    const part = (name, node = "span") => (parts[name] = el(node, { class: name }));
    parts.sign = el("span", { class: "sign" });
    const what = el("div", { class: "what" }, part("word", "strong"), part("title", "strong"), part("name"), part("raised"), part("state"));
    parts.more = el("button", { type: "button", class: "more", "aria-expanded": "false" }, "action");
    parts.more.addEventListener("click", () => this._toggle(row));
    parts.ack = el("button", { type: "button", class: "ack" }, "ACK");
    parts.ack.addEventListener("click", (event) => this._press(row, event.detail > 0));
    parts.inhibit = el("button", { type: "button", class: "inhibit" }, "inhibit …");
    parts.inhibit.addEventListener("click", () => this._put_off(row));
    row.append(parts.sign, what, part("age"), parts.more, parts.ack, part("remedy", "p"), parts.inhibit, part("answer", "p"));
    return row;
  }

  _toggle(row) {
    if (!this._open.delete(row.alert_.id)) this._open.add(row.alert_.id);
    this._show_more(row);
  }

  /** `is_aimed`: with a finger or a mouse, where a key acts on what has the focus, wherever it has gone. */
  async _press(row, is_aimed) {
    const alert = row.alert_;
    if (is_aimed && performance.now() / 1000 - (row.moved_s_ ?? -Infinity) < MEANT_S) {
      this._said.set(instance_of(alert), "the list has just moved: press again");
      return;
    }
    if (!is_aimed) row.parts.more.focus(); // a key that is pressed once more acts on the same alert, and acknowledges no other
    row.parts.ack.disabled = true;
    this._said.set(instance_of(alert), "…");
    const words = await this._acknowledge(alert);
    if (!row.isConnected || instance_of(row.alert_) !== instance_of(alert)) return;
    this._said.set(instance_of(alert), words);
    say(row.parts.answer, words);
  }

  /** Not told for a while, because it calls without reason: asked for in a dialog, as it is no acknowledgement. */
  async _put_off(row) {
    const alert = row.alert_;
    const words = await this._inhibit(alert);
    if (words) this._said.set(instance_of(alert), words);
  }

  _show_more(row) {
    const is_open = this._open.has(row.alert_.id);
    row.parts.more.setAttribute("aria-expanded", String(is_open));
    row.parts.inhibit.hidden = !is_open || this._visitor;
    say(row.parts.remedy, is_open ? [row.alert_.action, !this._visitor && row.alert_.detail, !this._visitor && raised(row.alert_), row.parts.state.textContent].filter(Boolean).join(" · ") : "");
  }

  _update(row, alert, { picture, now_s, stale, station }) {
    row.alert_ = alert;
    const is_old = stale || picture.is_old(alert);
    if (row.dataset.priority !== alert.priority || row.dataset.state !== alert.state) row.parts.sign.replaceChildren(sign(alert));
    mark(row, "priority", alert.priority);
    mark(row, "state", alert.state);
    mark(row, "flashes", !is_old && flashes(alert));
    mark(row, "old", is_old);
    say(row.parts.word, PRIORITY_WORDS[alert.priority]);
    say(row.parts.title, alert.title);
    say(row.parts.name, alert.name);
    const by = alert.acknowledged_by;
    const who = by ? ` · ${by.person ?? by.station}` : "";
    const sounds = alert.sounding && station && !alert.sounds_at.includes(station);
    const where = sounds ? ` · sounds at ${alert.sounds_at.join(", ") || "no station"}` : "";
    const saved = alert.recorded === null ? " · not yet recorded" : ` · no. ${alert.recorded}`;
    say(row.parts.state, `${is_old ? "? was " : ""}${alert.state_words}${who}${where}${saved}`);
    say(row.parts.age, age(picture.age_s(alert, now_s)));
    say(row.parts.raised, this._visitor ? "" : raised(alert));
    const waits = unacknowledged(alert);
    row.parts.ack.hidden = !waits;
    row.parts.ack.disabled = row.parts.inhibit.disabled = is_old || !station;
    row.parts.ack.setAttribute("aria-label", `ACK ${alert.title} ${alert.name}`);
    say(row.parts.answer, this._said.get(instance_of(alert)) ?? "");
    this._show_more(row);
  }
}
