// What else the watch has to know: permits, what is inhibited and until when, how equipment stands.

import { age, el, mark, rows, say } from "./draw.js";

const ORDER = ["defect", "overdue", "under test", "test due", "not testable", "out of service", "in order"];

export class Panels {
  constructor(parent) {
    this._lists = {};
    for (const [name, title] of [
      ["permit", "PERMITS TO OPEN"],
      ["inhibit", "INHIBITED"],
      ["equipment", "EQUIPMENT"],
    ]) {
      const list = el("ul", { class: `panel ${name}` });
      const section = el("section", { class: name }, el("h2", {}, title), list);
      this._lists[name] = { list, section };
      parent.append(section);
    }
  }

  draw(picture, { now_s, stale }) {
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
    section.hidden = items.length === 0;
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
