// A test that is led: its next step in type that is read from where the door is, what was seen so far, and the answer.

import { age, el, mark, rows, say } from "./draw.js";
import { asked } from "./form.js";

const RESULTS = ["SAT", "UNSAT", "NOT DONE"];
/** What is pressed so shortly after a step came was meant for the one before, in seconds. */
const MEANT_S = 0.5;
const TYPED = { reference: "reference", text: "text", number: "number", result: "remark" };

export class TestList {
  /** `ask(verb, members)` resolves with the reply; it asks for a PIN where one is wanted. */
  constructor(parent, { ask }) {
    this._ask = ask;
    this._list = el("ul", { class: "led" });
    parent.append(this._list);
  }

  draw(picture, { now_s, stale, station }) {
    const person = station ? picture.one("station", station)?.person : null;
    rows(
      this._list,
      [...picture.all("test").filter(({ state }) => state !== "done"), ...picture.results.values()],
      (test) => test.id,
      ({ id }) => this._make(() => picture.results.delete(id)),
      (row, test) => this._update(row, test, { picture, now_s, stale, station, person }),
    );
  }

  /** `read()`: somebody has read how it ended. */
  _make(read) {
    const row = el("li", { tabindex: -1 });
    row.read_ = read;
    const parts = (row.parts = {});
    const part = (name, node = "p") => (parts[name] = el(node, { class: name }));
    parts.typed = el("input", { class: "typed", maxlength: 80, autocomplete: "off" });
    parts.typed_name = el("label", { class: "typed-name" }, el("span", {}), parts.typed);
    parts.who = el("input", { class: "who", maxlength: 60, autocomplete: "off" });
    parts.who_name = el("label", { class: "who-name" }, "Name of the witness ", parts.who);
    parts.buttons = el("div", { class: "buttons" });
    parts.stop = el("button", { type: "button", class: "stop" }, "break off");
    parts.stop.addEventListener("click", () => this._break_off(row));
    row.append(
      part("what"), part("prompt"), part("left"), part("seen"),
      parts.who_name, parts.typed_name, parts.buttons, parts.stop, part("answer"),
    );
    return row;
  }

  _update(row, test, { picture, now_s, stale, station, person }) {
    const { parts } = row;
    row.test_ = test;
    const is_old = stale || picture.is_old(test);
    const age_s = picture.age_s(test, now_s);
    mark(row, "old", is_old);
    const item = test.item ? ` · ${test.item}` : "";
    const step = test.state === "done" ? "over" : `step ${test.step} of ${test.steps}`;
    say(parts.what, `TEST ${test.equipment}${item} · ${step}${is_old && test.state !== "done" ? " · ? not known now" : ""}`);
    say(parts.prompt, test.state === "done" ? outcome(test) : test.prompt);
    const left_s = test.seconds_left === null || age_s === null ? null : Math.max(0, test.seconds_left - age_s);
    say(parts.left, test.state === "done" || left_s === null || is_old ? "" : `${age(left_s)} left`);
    say(parts.seen, test.seen.join(" · "));
    const is_done = test.state === "done";
    const asks = is_done ? "read" : test.state === "waiting" && station && !is_old ? (test.expects ?? null) : null;
    row.person_ = test.who === "witness" ? null : (test.tester ?? person);
    parts.who_name.hidden = !asks || is_done || row.person_ !== null;
    parts.typed_name.hidden = !Object.hasOwn(TYPED, asks ?? "");
    if (!parts.typed_name.hidden) say(parts.typed_name.firstChild, `${TYPED[asks]} `);
    parts.stop.hidden = !station || is_old || test.state === "done";
    this._buttons(row, asks);
  }

  _buttons(row, asks) {
    const { buttons, typed } = row.parts;
    const wanted = `${row.test_.step} ${asks}`;
    if (row.wanted_ === wanted) return;
    row.wanted_ = wanted;
    typed.value = "";
    row.changed_s_ = performance.now() / 1000;
    const button = (words, text) =>
      el("button", { type: "button", on: { click: (event) => this._answer(row, text, event.detail > 0) } }, words);
    const made = {
      done: () => [button("DONE", () => undefined)],
      yes_or_no: () => [button("YES", () => "yes"), button("NO", () => "no")],
      number: () => [button("SEND", () => typed.value.trim())],
      text: () => [button("SEND", () => typed.value.trim())],
      reference: () => [button("SEND", () => typed.value.trim())],
      read: () => [el("button", { type: "button", on: { click: () => row.read_() } }, "CLOSE")],
      result: () => RESULTS.map((each) => button(each, () => `${each} ${typed.value}`.trim())),
    }[asks];
    // Whoever goes by keys stays here, and upon no button: one press too many answers no step that he has not read.
    if (buttons.contains(document.activeElement)) row.focus();
    buttons.replaceChildren(...(made ? made() : []));
  }

  /** `is_aimed`: with a finger or a mouse, whose second touch finds the next step where the first found this one. */
  _answer(row, text, is_aimed) {
    if (is_aimed && performance.now() / 1000 - row.changed_s_ < MEANT_S) {
      return say(row.parts.answer, "the step has just changed: press again");
    }
    const said = text();
    return this._send(row, "answer", { step: row.test_.step, ...(said === undefined ? {} : { text: said }) });
  }

  /** What was seen so far proves nothing then: one press in passing is not enough. */
  async _break_off(row) {
    const said = await asked("Break this test off?", [["reason", "Why", { required: true }]], "Break off");
    if (said) await this._send(row, "abort_test", said);
  }

  async _send(row, verb, members) {
    const person = row.person_ ?? row.parts.who.value.trim();
    if (!person) return say(row.parts.answer, "a name is wanted");
    say(row.parts.answer, "…");
    const reply = await this._ask(verb, { person, test: row.test_.id, ...members });
    return say(row.parts.answer, reply.words ?? "");
  }
}

const OUTCOMES = { passed: "SAT", failed: "UNSAT", inconclusive: "NOT PROVEN", skipped: "NOT DONE" };

function outcome(test) {
  const words = Object.hasOwn(OUTCOMES, test.outcome ?? "") ? OUTCOMES[test.outcome] : "ended";
  return test.reason ? `${words}: ${test.reason}` : words;
}
