// What else the watch has to know: the ship's orders, permits, what is inhibited and until when, how equipment and its
// devices stand; and the buttons that change it.

import { age, el, hhmm_z, mark, rows, say } from "./draw.js";
import { ended_inhibit, ended_permit, IN_THE_WAY, OPEN_ORDERS, ORDERS, PERMIT, starting } from "./orders.js";

const ORDER = ["defect", "overdue", "under test", "test due", "not testable", "out of service", "in order"];
const LINKS = ["quarantined", "down", "connecting", "up"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const tests_of = (row) => (row.thing_.tests ?? []).filter(({ led }) => led);

export class Panels {
  /** `act(what)` asks the person and does it; resolves with words. */
  constructor(parent, { act }) {
    this._act = act;
    this._lists = {};
    this._buttons = [];
    for (const [name, title] of [
      ["ispsd", "ISPSD IS DEGRADED"],
      ["ship", "SHIP"],
      ["permit", "PERMITS TO OPEN"],
      ["inhibit", "INHIBITED"],
      ["equipment", "EQUIPMENT"],
      ["driver", "DEVICES"],
    ]) {
      const head = el("h2", {}, title);
      const list = el("ul", { class: `panel ${name}` });
      const answer = el("span", { class: "answer", role: "status" });
      this._lists[name] = { title, head, list, answer, section: el("section", { class: name }, head, list, answer) };
      parent.append(this._lists[name].section);
    }
    this._make_orders(this._lists.ship);
    const { section, answer } = this._lists.permit;
    section.insertBefore(this._button("permit to open …", () => PERMIT, answer), answer);
    this._make_all(this._lists.driver);
  }

  _make_orders({ section, list, answer }) {
    const buttons = [...ORDERS.slice(0, OPEN_ORDERS), IN_THE_WAY].map((what) => this._button(what.name, () => what, answer));
    const more = ORDERS.slice(OPEN_ORDERS).map((what) => this._button(what.name, () => what, answer));
    list.remove();
    section.insertBefore(el("div", { class: "orders" }, ...buttons), answer);
    section.insertBefore(
      el("details", {}, el("summary", {}, "port's level, threat area, AIS, blackout, GNSS, ship's time"), el("div", { class: "orders" }, ...more)),
      answer,
    );
  }

  /** Of devices that are up the number is enough, until somebody asks. */
  _make_all({ list, section, answer }) {
    const button = el("button", { type: "button", class: "all", "aria-expanded": "false" }, "show all");
    button.addEventListener("click", () => {
      const is_all = "all" in list.dataset;
      mark(list, "all", is_all ? null : true);
      button.setAttribute("aria-expanded", String(!is_all));
      say(button, is_all ? "show all" : "only those that are not up");
    });
    section.insertBefore(button, answer);
  }

  /** A button that needs a station and a true picture. */
  _button(words, what, answer) {
    const button = this._plain_button(words, what, answer);
    this._buttons.push(button);
    return button;
  }

  _plain_button(words, what, answer) {
    const button = el("button", { type: "button" }, words);
    button.addEventListener("click", async () => say(answer, await this._act(what())));
    return button;
  }

  draw(picture, { now_s, stale, station }) {
    const may_act = !stale && Boolean(station);
    for (const button of this._buttons) button.disabled = !may_act;
    const up = picture.up(now_s);
    const left = (each, is_old) =>
      up === null || is_old ? "end not known" : each.ends_up <= up ? "ended" : `${age(each.ends_up - up)} left${until(each)}`;
    const was = (is_old, words) => (is_old ? `? was ${words}` : words);
    this._reasons(picture, stale);
    this._fill("permit", picture, stale, (each, is_old) => [each.name, `${each.person}, ${each.work}`, left(each, is_old)]);
    this._fill("inhibit", picture, stale, (each, is_old) => [
      each.name,
      `${each.title}, by ${each.by}`,
      `inhibited: ${left(each, is_old)}`,
    ]);
    this._ending("permit", ended_permit, may_act);
    this._ending("inhibit", ended_inhibit, may_act);
    this._fill("equipment", picture, stale, (each, is_old) => [
      each.name,
      was(is_old, each.readiness.toUpperCase()),
      [...each.reasons, is_old ? "" : due(each)].filter(Boolean).join("; "),
    ]);
    for (const row of this._lists.equipment.list.children) this._tests(row, may_act);
    this._fill("driver", picture, stale, (each, is_old) => {
      const since = up === null || is_old ? "" : ` for ${age(Math.max(0, up - each.since_up))}`;
      return [each.id, was(is_old, `${each.link.toUpperCase()}${since}`), each.reason ?? ""];
    });
    this._devices(stale);
  }

  /** Why ispsd does less than it should, in its own words. */
  _reasons(picture, stale) {
    const { list, section } = this._lists.ispsd;
    const reasons = stale ? [] : (picture.status?.reasons ?? []);
    section.hidden = reasons.length === 0;
    rows(list, reasons, (each) => each, (each) => el("li", {}, each), () => {});
  }

  _devices(stale) {
    const { title, head, list } = this._lists.driver;
    const up = [...list.children].filter((row) => row.dataset.link === "up").length;
    say(head, stale ? `${title} · not known` : `${title} ${list.children.length} · ${up} up`);
  }

  _fill(kind, picture, stale, words) {
    const { list, section } = this._lists[kind];
    const rank = kind === "driver" ? (each) => LINKS.indexOf(each.link) : (each) => ORDER.indexOf(each.readiness);
    const all = picture.all(kind).sort((one, other) => rank(one) - rank(other) || (one.id < other.id ? -1 : 1));
    section.hidden = all.length === 0 && kind !== "permit";
    rows(
      list,
      all,
      (each) => each.id,
      () => el("li", {}, el("strong"), el("span", { class: "value" }), el("span", { class: "ends" })),
      (row, each) => {
        const is_old = stale || picture.is_old(each);
        mark(row, "old", is_old);
        mark(row, "readiness", is_old ? null : (each.readiness ?? null));
        mark(row, "link", is_old ? null : (each.link ?? null));
        mark(row, "told", each.link ?? null);
        row.thing_ = each;
        words(each, is_old).forEach((text, at) => say(row.children[at], text));
      },
    );
  }

  /** What was given can be taken back where it stands. */
  _ending(kind, what, may_act) {
    const { list, answer } = this._lists[kind];
    for (const row of list.children) {
      row.end_ ??= row.appendChild(this._plain_button("end …", () => what(row.thing_), answer));
      row.end_.setAttribute("aria-label", `end ${kind} ${row.thing_.name}`);
      row.end_.disabled = !may_act || "old" in row.dataset;
    }
  }

  /** One button for each test that a person can start here; who may is ispsd's to say. */
  _tests(row, may_act) {
    const tests = tests_of(row);
    const ready = may_act && !("old" in row.dataset) && row.thing_.readiness !== "under test";
    const parent = (row.tests_ ??= row.appendChild(el("span", { class: "tests" })));
    rows(
      parent,
      tests,
      ({ test }) => test,
      ({ test }) => this._plain_button("", () => starting(tests_of(row).find((each) => each.test === test), row.thing_.name), this._lists.equipment.answer),
      (button, { test, remaining }) => {
        // Whose test it is stands in the row; which, only where there are several.
        say(button, `start ${tests.length > 1 ? test : "test"}${remaining.length ? ` · ${remaining.length} to do` : ""}`);
        button.setAttribute("aria-label", `${button.textContent} · ${row.thing_.name}`);
        button.disabled = !ready;
      },
    );
  }
}

/** For the eye, as ispsd's computer has it: what counts is the time left. */
function until({ ends_utc }) {
  return typeof ends_utc === "string" && ends_utc.length > 16 ? `, until ${hhmm_z(ends_utc)}` : "";
}

function due({ next_due_utc }) {
  const at = new Date(typeof next_due_utc === "string" ? next_due_utc : NaN);
  return Number.isFinite(at.getTime()) ? `next ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}` : "";
}
