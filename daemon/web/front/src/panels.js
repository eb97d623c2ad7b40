// What else the watch has to know: permits, what is inhibited and until when, how equipment stands.

import { age, el, mark, rows, say } from "./draw.js";

const ORDER = ["defect", "overdue", "under test", "test due", "not testable", "out of service", "in order"];

// What a button of a panel asks, and what becomes of it (docs/mqtt.md, commands).
const ACTS = {
  permit: {
    button: "permit to open …",
    title: "Permit to open",
    press: "Give",
    verb: "permit",
    fields: [
      ["door", "Door, its id: d17", { required: true }],
      ["worker", "Who works there", { required: true }],
      ["work", "What work", { required: true }],
      ["minutes", "For how many minutes; 0 ends it", { type: "number", min: 0, max: 720, value: 60, required: true }],
    ],
    members: (said) => ({ ...said, door: said.door.toLowerCase(), minutes: Number(said.minutes) }),
  },
  equipment: {
    button: "start a test …",
    title: "Start a test that is led",
    press: "Start",
    verb: "start_test",
    fields: [
      ["test", "The test: t-door", { required: true }],
      ["item", "Of which door or place, where it has several"],
    ],
    members: (said) => ({ test: said.test.toLowerCase(), item: said.item.toLowerCase() }),
  },
};

export class Panels {
  /** `act(what)` asks the person and does it; resolves with words. */
  constructor(parent, { act }) {
    this._lists = {};
    for (const [name, title] of [
      ["permit", "PERMITS TO OPEN"],
      ["inhibit", "INHIBITED"],
      ["equipment", "EQUIPMENT"],
    ]) {
      const list = el("ul", { class: `panel ${name}` });
      const section = el("section", { class: name }, el("h2", {}, title), list);
      const what = ACTS[name];
      let button = null;
      if (what) {
        const answer = el("span", { class: "answer", role: "status" });
        button = el("button", { type: "button" }, what.button);
        button.addEventListener("click", async () => say(answer, await act(what)));
        section.append(button, answer);
      }
      this._lists[name] = { list, section, button };
      parent.append(section);
    }
  }

  draw(picture, { now_s, stale, station }) {
    for (const { button } of Object.values(this._lists)) if (button) button.disabled = stale || !station;
    const up = picture.up(now_s);
    const left = (each) => (up === null || stale ? "end not known" : `${age(Math.max(0, each.ends_up - up))} left`);
    this._fill("permit", picture, stale, (each) => [each.name, `${each.person}, ${each.work}`, left(each)]);
    this._fill("inhibit", picture, stale, (each) => [each.name, `${each.title}, by ${each.by}`, left(each)]);
    this._fill("equipment", picture, stale, (each) => [
      each.name,
      stale ? `? was ${each.readiness.toUpperCase()}` : each.readiness.toUpperCase(),
      each.reasons.join("; "),
    ]);
  }

  _fill(kind, picture, stale, words) {
    const { list, section } = this._lists[kind];
    const rank = (each) => ORDER.indexOf(each.readiness);
    const items = picture.all(kind).sort((one, other) => rank(one) - rank(other) || (one.id < other.id ? -1 : 1));
    section.hidden = items.length === 0 && !this._lists[kind].button;
    rows(
      list,
      items,
      (each) => each.id,
      () => el("li", {}, el("strong"), el("span", { class: "value" }), el("span", { class: "ends" })),
      (row, each) => {
        const is_old = stale || picture.is_old(each);
        mark(row, "old", is_old);
        mark(row, "readiness", is_old ? null : (each.readiness ?? null));
        words(each).forEach((text, at) => say(row.children[at], text));
      },
    );
  }
}
