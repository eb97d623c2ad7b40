// What else the watch has to know: permits, what is inhibited and until when, how equipment and its devices stand.

import { age, el, mark, rows, say } from "./draw.js";

const ORDER = ["defect", "overdue", "under test", "test due", "not testable", "out of service", "in order"];
const LINKS = ["quarantined", "down", "connecting", "up"];
/** What may be permitted to open; an ispsd that says no kind has it in the contact's id, which has no part. */
const DOORS = ["door", "side_door"];

const is_door = ({ id, proved, kind }) => proved !== null && ((kind ?? null) === null ? !id.includes(".") : DOORS.includes(kind));

/** Return the doors to choose from, by their names: [id, words]. */
export function doors(picture) {
  return picture
    .all("point")
    .filter((point) => is_door(point) && !picture.is_old(point))
    .map(({ id, name }) => [id, name && name.toLowerCase() !== id ? `${name} (${id})` : id])
    .sort(([, one], [, other]) => (one < other ? -1 : 1));
}

/** What the button below the permits asks, and what becomes of it (docs/mqtt.md, commands). */
const PERMIT = {
  title: "Permit to open",
  press: "Give",
  verb: "permit",
  fields: (picture) => [
    ["door", "Door", { choose: doors(picture), required: true }],
    ["worker", "Who works there", { required: true }],
    ["work", "What work", { required: true }],
    ["minutes", "For how many minutes; 0 ends it", { type: "number", min: 0, max: 720, value: 60, required: true }],
  ],
  members: (said) => ({ ...said, minutes: Number(said.minutes) }),
};

/** What the button of a test asks: of what it has several, which, and all that remain stand first. */
function starting({ test, items, remaining }) {
  const all = remaining.length ? [["", `all ${remaining.length} that remain, one after the other`]] : [];
  const rest = items.filter((item) => !remaining.includes(item));
  const choose = [...all, ...[...remaining, ...rest].map((item) => [item, item])];
  return {
    title: `Start ${test}`,
    press: "Start",
    verb: "start_test",
    fields: () => (items.length ? [["item", "Of which", { choose }]] : []),
    members: ({ item }) => (!items.length ? { test } : item ? { test, item } : { test, remaining: true }),
  };
}

const tests_of = (row) => (row.thing_.tests ?? []).filter(({ led }) => led);

export class Panels {
  /** `act(what)` asks the person and does it; resolves with words. */
  constructor(parent, { act }) {
    this._act = act;
    this._lists = {};
    for (const [name, title] of [
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
    const { section, answer } = this._lists.permit;
    this._permit = this._button("permit to open …", () => PERMIT, answer);
    section.insertBefore(this._permit, answer);
  }

  _button(words, what, answer) {
    const button = el("button", { type: "button" }, words);
    button.addEventListener("click", async () => say(answer, await this._act(what())));
    return button;
  }

  draw(picture, { now_s, stale, station }) {
    const may_act = !stale && Boolean(station);
    this._permit.disabled = !may_act;
    const up = picture.up(now_s);
    const left = (each, is_old) =>
      up === null || is_old ? "end not known" : each.ends_up <= up ? "ended" : `${age(each.ends_up - up)} left`;
    const was = (is_old, words) => (is_old ? `? was ${words}` : words);
    this._fill("permit", picture, stale, (each, is_old) => [each.name, `${each.person}, ${each.work}`, left(each, is_old)]);
    this._fill("inhibit", picture, stale, (each, is_old) => [each.name, `${each.title}, by ${each.by}`, left(each, is_old)]);
    this._fill("equipment", picture, stale, (each, is_old) => [
      each.name,
      was(is_old, each.readiness.toUpperCase()),
      each.reasons.join("; "),
    ]);
    for (const row of this._lists.equipment.list.children) this._tests(row, may_act);
    this._fill("driver", picture, stale, (each, is_old) => {
      const since = up === null || is_old ? "" : ` for ${age(Math.max(0, up - each.since_up))}`;
      return [each.id, was(is_old, `${each.link.toUpperCase()}${since}`), each.reason ?? ""];
    });
    this._devices(picture, stale);
  }

  /** Of devices that are up the number is enough. */
  _devices(picture, stale) {
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
        row.thing_ = each;
        words(each, is_old).forEach((text, at) => say(row.children[at], text));
      },
    );
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
      ({ test }) => this._button("", () => starting(tests_of(row).find((each) => each.test === test)), this._lists.equipment.answer),
      (button, { test, remaining }) => {
        say(button, `start ${test}${remaining.length ? ` · ${remaining.length} to do` : ""}`);
        button.disabled = !ready;
      },
    );
  }
}
