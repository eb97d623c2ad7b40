// Is a payload what the contract says? What is not is as good as nothing: no page shows half a message.
// As config/mqtt/schemas/ has them, as much of it as this page reads.

/** As long as any text of the contract is: what is long is cut where it is drawn, and takes no alert off the screen. */
const LONGEST_TEXT = 20_000;
// Three centuries: what is beyond is no time since a boot.
const LONGEST_UP_S = 1e10;
const MOST_ITEMS = 2000;
/** A day, in minutes: no ship's time is further from UTC. */
const DAY_MIN = 1440;

const text = (said) => typeof said === "string" && said.length <= LONGEST_TEXT;
const number = (said) => typeof said === "number" && Number.isFinite(said);
const seconds = (said) => number(said) && Math.abs(said) < LONGEST_UP_S;
const whole = (said) => Number.isSafeInteger(said) && said >= 0;
const truth = (said) => typeof said === "boolean";
const anything = () => true;
const within = (least, most) => (said) => number(said) && said >= least && said <= most;
/** A member that an older ispsd does not say. */
const maybe = (shape) => Object.assign((said) => said === undefined || fits(said, shape), { may_lack: true });
const or_null = (shape) => (said) => said === null || fits(said, shape);
const one_of = (...words) => (said) => words.includes(said);
const list_of = (shape) => (said) =>
  Array.isArray(said) && said.length <= MOST_ITEMS && said.every((each) => fits(each, shape));

const SEALED = { session: text, up: seconds };

const SHAPES = {
  status: { ...SEALED, state: text, ship: { name: text, imo: whole }, reasons: list_of(text), version: text },
  heartbeat: SEALED,
  snapshot: SEALED,
  ship: {
    ...SEALED,
    situation: text,
    security_level: whole,
    threat: truth,
    ship_time_offset_min: within(-DAY_MIN, DAY_MIN),
    ais_off_by: or_null(text),
    settling: truth,
    port_level: or_null(whole),
    level_in_force: or_null(truth),
    interference_area: or_null(text),
    interference_ends_up: or_null(seconds),
    blackout: or_null({ begins_up: seconds, ends_up: seconds, by: text }),
    visitor_view_ends_up: maybe(or_null(seconds)),
  },
  alert: {
    ...SEALED,
    id: text,
    instance: whole,
    title: text,
    name: text,
    priority: one_of("A", "W", "C"),
    state: one_of("N", "V", "S", "A", "O", "U"),
    state_words: text,
    raised_utc: text,
    changed_utc: text,
    acknowledged_by: or_null({ station: text, person: or_null(text) }),
    sounding: truth,
    sounds_at: list_of(text),
    action: text,
    detail: text,
    recorded: or_null(whole),
  },
  point: {
    ...SEALED,
    value: anything,
    unit: or_null(text),
    quality: one_of("good", "suspect", "stale", "unknown"),
    provenance: one_of("live", "test", "simulated", "replay"),
    valid_for: seconds,
    source: text,
    name: or_null(text),
    proved: or_null(truth),
    kind: maybe(or_null(text)),
    word: maybe(or_null(text)),
  },
  permit: { ...SEALED, door: text, name: text, person: text, work: text, ends_up: seconds },
  inhibit: { ...SEALED, alert: text, title: text, name: text, by: text, ends_up: seconds },
  equipment: {
    ...SEALED,
    name: text,
    readiness: text,
    reasons: list_of(text),
    tests: maybe(list_of({ test: text, led: truth, items: list_of(text), remaining: list_of(text) })),
  },
  driver: {
    ...SEALED,
    link: one_of("connecting", "up", "down", "quarantined"),
    since_up: seconds,
    last_good_up: or_null(seconds),
    reason: or_null(text),
  },
  curtain: { ...SEALED, ship_time_offset_min: within(-DAY_MIN, DAY_MIN) },
  palette: { ...SEALED, palette: one_of("bright", "day", "dusk", "night") },
  crew: { ...SEALED, persons: list_of({ name: text, rank: text }) },
  test: {
    ...SEALED,
    test: text,
    equipment: text,
    step: whole,
    steps: whole,
    prompt: text,
    seconds_left: or_null(seconds),
    state: one_of("running", "waiting", "done"),
    outcome: or_null(text),
    reason: or_null(text),
    expects: maybe(or_null(one_of("nothing", "done", "reference", "text", "yes_or_no", "number", "result"))),
    item: or_null(text),
    tester: or_null(text),
    who: or_null(one_of("tester", "witness")),
    seen: list_of(text),
  },
  station: {
    ...SEALED,
    attended: truth,
    person: or_null(text),
    since_up: or_null(seconds),
    live: truth,
    sounds: truth,
    sounder: one_of("page", "program"),
    sound_armed: truth,
    lacks: list_of(one_of("touch", "heard")),
    heard: or_null({ person: text, utc: text, ends_up: seconds }),
    test_sound: or_null({ nonce: text, asked_up: seconds }),
    reply_wanted: or_null({ asked_up: seconds, answer_by_up: seconds }),
    tones: one_of(1, 2),
    volume_floor: within(0, 100),
    warning_every_s: seconds,
  },
  selftest: { ...SEALED, synthetic: one_of(true) },
  reply: { ...SEALED, id: or_null(text), verb: text, accepted: truth, recorded: or_null(whole) },
};

/** Return a message's members, null where the topic is cleared, undefined for what cannot be believed. */
export function checked(kind, payload) {
  if (payload.length === 0) return null;
  let said;
  try {
    said = JSON.parse(typeof payload === "string" ? payload : new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
  return fits(said, SHAPES[kind]) ? said : undefined;
}

function fits(said, shape) {
  if (typeof shape === "function") return shape(said);
  if (said === null || typeof said !== "object" || Array.isArray(said)) return false;
  return Object.entries(shape).every(
    ([name, inner]) => (Object.hasOwn(said, name) ? fits(said[name], inner) : inner.may_lack === true),
  );
}
