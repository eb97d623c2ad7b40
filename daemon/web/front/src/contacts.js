// Doors, hatches, seals, detectors, lights: by what they are, as one looks for them, and by name; beside each the unit that
// watches it. Where they are is nobody's who only looks.

import { age, el, mark, rows, say } from "./draw.js";

const WORDS = { closed: "closed", open: "OPEN", line_fault: "LINE FAULT" };
const SHAPES = { closed: "●", open: "○", line_fault: "✕", unknown: "?", rest: "■", moved: "□" };
/** What guards the ship: closed, and only that, is green. A light that burns and a mains that is there are none. */
const GUARDS = ["door", "side_door", "seal", "lock", "motion", "tamper"];
/** Under which head each kind stands; a lock, a tamper loop, a battery stands beside what it belongs to. */
const GROUPS = [
  ["doors", ["door", "side_door", "lock"]],
  ["seals", ["seal"]],
  ["detectors", ["motion", "tamper"]],
  ["lights", ["light"]],
  ["power", ["mains", "battery"]],
];
const OTHERS = "others";
/** What has the name of the thing that it belongs to. */
const PARTS = ["lock", "tamper", "battery"];

const is_contact = (point) => point.proved !== null;
/** Whether it is a guard; an ispsd that says no kind watches nothing else. */
const guards = ({ kind }) => (kind ?? null) === null || GUARDS.includes(kind);

/** What a value is called: as ispsd says it (lit, broken, on mains), in capitals where it is not at rest. */
function word_of(point, value) {
  if (typeof point.word !== "string" || point.word === "" || point.value !== value) return WORDS[value];
  return value === "closed" ? point.word : point.word.toUpperCase();
}

function looks_of(point, value) {
  if (value === "line_fault" || guards(point)) return value;
  return value === "closed" ? "rest" : "moved";
}

/** Return how a contact is shown: its looks, and its words. Never closed from anything but "closed". */
export function contact_words(point, { age_s, is_old }) {
  const is_told = point.quality === "good" || point.quality === "suspect";
  const value = is_told && typeof point.value === "string" && Object.hasOwn(WORDS, point.value) ? point.value : null;
  const is_past = is_old || age_s === null || age_s > point.valid_for;
  if (!is_past && point.proved === false && value !== "open" && value !== "line_fault") {
    return ["unknown", "NOT PROVED"];
  }
  if (value === null) return ["unknown", "NOT SEEN"];
  const word = word_of(point, value);
  if (is_past) return ["unknown", `? was ${word}`];
  if (value === "closed" && point.proved !== true) return ["unknown", "NOT PROVED"];
  if (point.quality === "good") return [looks_of(point, value), word];
  // What is doubted may be worse than it says, never better: it is not green.
  return [value === "closed" ? "unknown" : looks_of(point, value), `? ${word}`];
}

/** A lock, a tamper loop, a battery has the name of what it belongs to; the end of its id says which it is. */
function named({ id, name, kind }) {
  const part = PARTS.includes(kind) ? kind : id.split(".")[1];
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
    const groups = grouped(contacts);
    const all = { open: 0, unknown: 0 };
    rows(
      this._groups,
      groups,
      ([name]) => name,
      ([name]) => el("section", {}, el("h3", {}), el("ul", { class: "contacts", "aria-label": name })),
      (node, [name, those]) => {
        const here = { open: 0, unknown: 0 };
        rows(
          node.lastChild,
          those,
          (point) => point.id,
          (point) => this._make(point),
          (row, point) => {
            const looks = this._update(row, point, { picture, now_s, stale });
            here.open += looks === "open" || looks === "line_fault";
            here.unknown += looks === "unknown";
          },
        );
        all.open += here.open;
        all.unknown += here.unknown;
        const counts = [here.open && `${here.open} open`, here.unknown && `${here.unknown} not known`].filter(Boolean);
        say(node.firstChild, [`${name} ${those.length}`, ...counts].join(" · "));
      },
    );
    say(this._head, `DOORS, SEALS, DETECTORS, LIGHTS ${contacts.length} · ${all.open} open · ${all.unknown} not known`);
  }

  _make(point) {
    const row = el("li", { data: { point: point.id } });
    const parts = (row.parts = {});
    const part = (name) => (parts[name] = el("span", { class: name }));
    row.append(part("shape"), part("name"), part("unit"), part("value"), part("age"));
    row.parts.shape.setAttribute("aria-hidden", "true");
    return row;
  }

  _update(row, point, { picture, now_s, stale }) {
    const age_s = picture.age_s(point, now_s);
    const is_old = stale || picture.is_old(point);
    const [looks, words] = contact_words(point, { age_s, is_old });
    const now = (each) => each && !stale && !picture.is_old(each);
    const permit = picture.one("permit", point.id);
    const is_out = (id) => now(picture.one("equipment", id)) && picture.one("equipment", id).readiness === "out of service";
    const beside = [
      now(permit) && picture.up(now_s) < permit.ends_up && "permit",
      (is_out(point.id) || is_out(point.source)) && "out of service",
    ].filter(Boolean);
    mark(row, "looks", looks);
    say(row.parts.shape, SHAPES[looks]);
    say(row.parts.name, named(point));
    say(row.parts.unit, point.source);
    say(row.parts.value, [words, ...beside].join(", "));
    say(row.parts.age, age(age_s));
    return looks;
  }
}

/** By kind; in it first what is not at rest as it was told, then by name. What is only old keeps its place. */
function grouped(contacts) {
  const groups = new Map([...GROUPS.map(([name]) => [name, []]), [OTHERS, []]]);
  const kind_of = ({ kind, id }) => kind ?? (id.includes(".") ? null : "door");
  for (const each of contacts) {
    const [name] = GROUPS.find(([, kinds]) => kinds.includes(kind_of(each))) ?? [OTHERS];
    groups.get(name).push(each);
  }
  const key = (each) => `${each.value === "closed" ? 1 : 0} ${each.name ?? each.id} ${each.id}`;
  for (const those of groups.values()) those.sort((one, other) => (key(one) < key(other) ? -1 : 1));
  return [...groups].filter(([, those]) => those.length);
}
