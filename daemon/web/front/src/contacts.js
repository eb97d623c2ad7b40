// Doors, hatches, seals and detectors, by the unit that watches them: where they are is nobody's who only looks.

import { age, el, mark, rows, say } from "./draw.js";

const WORDS = { closed: "closed", open: "OPEN", line_fault: "LINE FAULT" };
const SHAPES = { closed: "●", open: "○", line_fault: "✕", unknown: "?" };

const is_contact = (point) => point.proved !== null;

/** Return how a contact is shown: its looks, and its words. Never closed from anything but "closed". */
export function contact_words(point, { age_s, is_old }) {
  const value = typeof point.value === "string" && Object.hasOwn(WORDS, point.value) ? point.value : null;
  const is_past = is_old || age_s === null || age_s > point.valid_for;
  if (!is_past && point.proved === false && value !== "open" && value !== "line_fault") {
    return ["unknown", "NOT PROVED"];
  }
  if (value === null) return ["unknown", "NOT SEEN"];
  if (is_past) return ["unknown", `? was ${WORDS[value]}`];
  if (value === "closed" && point.proved !== true) return ["unknown", "NOT PROVED"];
  return [value, point.quality === "good" ? WORDS[value] : `? ${WORDS[value]}`];
}

/** A lock, a tamper loop, a battery has the name of what it belongs to; the end of its id says which it is. */
function named({ id, name }) {
  const [, part] = id.split(".");
  return part ? `${name ?? id} · ${part}` : (name ?? id);
}

export class ContactList {
  constructor(parent) {
    this._head = el("h2", {});
    this._groups = el("div", { class: "groups" });
    parent.append(this._head, this._groups);
  }

  draw(picture, { now_s, stale }) {
    const contacts = picture.all("point").filter(is_contact);
    const groups = new Map();
    for (const each of contacts.sort((one, other) => (one.id < other.id ? -1 : 1))) {
      if (!groups.has(each.source)) groups.set(each.source, []);
      groups.get(each.source).push(each);
    }
    let open = 0;
    let unknown = 0;
    rows(
      this._groups,
      [...groups].sort(([one], [other]) => (one < other ? -1 : 1)),
      ([source]) => source,
      ([source]) => el("section", {}, el("h3", {}, source), el("ul", { class: "contacts" })),
      (node, [, those]) =>
        rows(
          node.lastChild,
          those,
          (point) => point.id,
          (point) => this._make(point),
          (row, point) => {
            const looks = this._update(row, point, { picture, now_s, stale });
            open += looks === "open" || looks === "line_fault";
            unknown += looks === "unknown";
          },
        ),
    );
    say(this._head, `DOORS, SEALS, DETECTORS ${contacts.length} · ${open} open · ${unknown} not known`);
  }

  _make(point) {
    const row = el("li", { data: { point: point.id } });
    const parts = (row.parts = {});
    const part = (name) => (parts[name] = el("span", { class: name }));
    row.append(part("shape"), part("name"), part("value"), part("age"));
    row.parts.shape.setAttribute("aria-hidden", "true");
    return row;
  }

  _update(row, point, { picture, now_s, stale }) {
    const age_s = picture.age_s(point, now_s);
    const is_old = stale || picture.is_old(point);
    const [looks, words] = contact_words(point, { age_s, is_old });
    const permit = picture.one("permit", point.id);
    mark(row, "looks", looks);
    say(row.parts.shape, SHAPES[looks]);
    say(row.parts.name, named(point));
    say(row.parts.value, permit && !is_old ? `${words}, permit` : words);
    say(row.parts.age, age(age_s));
    return looks;
  }
}
