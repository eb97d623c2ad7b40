// What a person can order at a station: what each order asks, and what becomes of it (docs/mqtt.md, commands). Who may is
// ispsd's to say, and so is whether it is meant, and by whose PIN.

const SITUATIONS = ["sea", "manoeuvring", "anchor", "port", "yard"];
const LEVELS = ["1", "2", "3"];
/** What may be permitted to open; an ispsd that says no kind has it in the contact's id, which has no part. */
const DOORS = ["door", "side_door"];
const HOUR_MIN = 60;

const is_door = ({ id, proved, kind }) => proved !== null && ((kind ?? null) === null ? !id.includes(".") : DOORS.includes(kind));

/** Return the doors to choose from, by their names: [id, words]. */
export function doors(picture) {
  return picture
    .all("point")
    .filter((point) => is_door(point) && !picture.is_old(point))
    .map(({ id, name }) => [id, name && name.toLowerCase() !== id ? `${name} (${id})` : id])
    .sort(([, one], [, other]) => (one < other ? -1 : 1));
}

/** A choice that nobody makes by leaving it as it stands. */
const of = (choices) => ({ choose: [["", "choose …"], ...choices.map((each) => (Array.isArray(each) ? each : [each, each]))], required: true });
const ON = of([["on", "begins"], ["off", "ends"]]);

/** By whom: whoever has the watch stands first; another may act here, as the Master. */
function by(picture, person) {
  const crew = picture.crew && !picture.is_old(picture.crew) ? picture.crew.persons : [];
  const others = crew.filter(({ name }) => name !== person).map(({ name, rank }) => [name, `${rank} ${name}`.trim()]);
  return ["person", "By", { choose: [[person, person], ...others] }];
}

/** Whose rank says so; only a proposal, as ispsd knows who it is. */
function master(picture) {
  const crew = picture.crew && !picture.is_old(picture.crew) ? picture.crew.persons : [];
  return crew.find(({ rank }) => /^master$/i.test(rank))?.name ?? "";
}

const order = (name, verb, title, fields, members = (said) => said) => ({
  name,
  verb,
  title,
  press: "Enter",
  fields: (picture, person) => [...fields(picture), by(picture, person)],
  members,
});

/** Of these the first three stand open. */
export const ORDERS = [
  order("situation …", "situation", "What is the ship doing?", () => [["situation", "Situation", of(SITUATIONS)]]),
  order(
    "security level …",
    "level",
    "The ship's security level",
    () => [
      ["level", "Level", of(LEVELS)],
      ["told_by", "Who told you", { required: true }],
      ["notified", "When, in UTC, if it was not now", { placeholder: "02:10Z", pattern: "[0-2][0-9]:[0-5][0-9]Z" }],
    ],
    ({ level, ...said }) => ({ ...said, level: Number(level) }),
  ),
  order("measures in force …", "level_in_force", "The measures of the ship's level are in force", () => []),
  order(
    "port's level …",
    "port_level",
    "The port's security level",
    () => [["level", "Level", of(LEVELS)], ["told_by", "Who told you", { required: true }]],
    ({ level, ...said }) => ({ ...said, level: Number(level) }),
  ),
  order("threat area …", "threat", "Threat area, as the voyage's risk assessment has it", () => [["on", "It", ON]], switched),
  order(
    "AIS off …",
    "ais_off",
    "AIS off by the Master's order",
    (picture) => [["on", "The order", ON], ["master", "The Master", { required: true, value: master(picture) }]],
    switched,
  ),
  order(
    "planned blackout …",
    "blackout",
    "A planned blackout",
    () => [
      ["minutes", "For how many minutes; 0 ends it", { type: "number", min: 0, max: 240, value: 60, required: true }],
      ["begins", "From when, in UTC, if not from now", { placeholder: "14:00Z", pattern: "[0-2][0-9]:[0-5][0-9]Z" }],
    ],
    ({ minutes, ...said }) => ({ ...said, minutes: Number(minutes) }),
  ),
  order(
    "GNSS interference …",
    "interference_area",
    "A known area of GNSS interference",
    () => [
      ["area", "Which", { required: true }],
      ["hours", "For how many hours; 0 ends it", { type: "number", min: 0, max: 72, value: 24, required: true }],
    ],
    ({ hours, ...said }) => ({ ...said, hours: Number(hours) }),
  ),
  order(
    "ship's time …",
    "ship_time",
    "Ship's time",
    () => [["hours", "Hours from UTC", { type: "number", min: -14, max: 14, step: 0.25, required: true }]],
    ({ hours, ...said }) => ({ ...said, offset_min: Math.round(Number(hours) * HOUR_MIN) }),
  ),
];
export const OPEN_ORDERS = 3;

function switched({ on, ...said }) {
  return { ...said, on: on === "on" };
}

/** What stands in the way of what the ship is doing now; a question, and nobody's act. */
export const IN_THE_WAY = { name: "ready to secure?", verb: "ready_to_secure", is_question: true };

export const PERMIT = {
  title: "Permit to open",
  press: "Give",
  verb: "permit",
  fields: (picture) => [
    ["door", "Door", { choose: doors(picture), required: true }],
    ["worker", "Who works there", { required: true }],
    ["work", "What work", { required: true }],
    ["minutes", "For how many minutes", { type: "number", min: 1, max: 720, value: 60, required: true }],
  ],
  members: (said) => ({ ...said, minutes: Number(said.minutes) }),
};

export const ended_permit = ({ door, name, person, work }) => ({
  title: `End the permit of ${name}?`,
  press: "End it",
  verb: "permit",
  fields: () => [],
  members: () => ({ door, worker: person, work, minutes: 0 }),
});

export const inhibited = ({ id, title, name }) => ({
  title: `Inhibit ${title} · ${name}`,
  press: "Inhibit",
  verb: "inhibit",
  fields: () => [
    ["minutes", "For how many minutes", { type: "number", min: 1, max: 480, value: 60, required: true }],
    ["reason", "Why", { required: true }],
  ],
  members: ({ minutes, reason }) => ({ alert: id, minutes: Number(minutes), reason }),
});

export const ended_inhibit = ({ alert, title, name }) => ({
  title: `Have ${title} · ${name} told again?`,
  press: "Tell it again",
  verb: "inhibit",
  fields: () => [],
  members: () => ({ alert, minutes: 0 }),
});

/** What the button of a test asks: of what it has several, which, and all that remain stand first. */
export function starting({ test, items, remaining }, name) {
  const all = remaining.length ? [["", `all ${remaining.length} that remain, one after the other`]] : [];
  const rest = items.filter((item) => !remaining.includes(item));
  const named = (picture, item) => picture.one("point", item)?.name ?? item;
  const words = (picture, item) => (named(picture, item).toLowerCase() === item ? item : `${named(picture, item)} (${item})`);
  const choose = (picture) => [...all, ...[...remaining, ...rest].map((item) => [item, words(picture, item)])];
  return {
    title: `Start a test: ${name} (${test})`,
    press: "Start",
    verb: "start_test",
    fields: (picture) => (items.length ? [["item", "Of which", { choose: choose(picture) }]] : []),
    members: ({ item }) => (!items.length ? { test } : item ? { test, item } : { test, remaining: true }),
  };
}

/** What a reply says to a person: done or not, its number, and what stands in the way now. */
export function said_of(reply) {
  if (reply.words) return reply.words;
  const found = Array.isArray(reply.extra?.in_the_way) ? reply.extra.in_the_way : [];
  const named = found.map(({ name, why }) => `${String(name)}: ${String(why)}`).join(" · ");
  const done = reply.extra?.ready === true ? "nothing stands in the way" : reply.extra?.ready === false ? "not ready" : "done";
  return [done, reply.recorded === null ? "" : `no. ${reply.recorded}`, named && `in the way: ${named}`].filter(Boolean).join(" · ");
}
