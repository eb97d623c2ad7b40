// The station's own bar: who has the watch, whether it would be heard, silence, the heard-test, the gangway's question.

import { age, el, mark, say } from "./draw.js";
import { keep, kept } from "./kept.js";
import { icon } from "./signs.js";

const WATCH = "take_watch";
/** How long silence lasts (MSC.302(87) 7.3.5). */
const SILENCE_S = 30;

export class WatchBar {
  /** `ask(verb, members)` resolves with the reply. */
  constructor(parent, { ask, set_volume }) {
    this._ask = ask;
    const button = (name, words, act) => {
      this[name] = el("button", { type: "button", class: name, on: { click: act } }, words);
      return this[name];
    };
    this.tile = el("span", { class: "tile", role: "status" }, el("span", { class: "sign" }), el("span", { class: "words" }));
    this.person = el("span", { class: "person" });
    this.answer = el("span", { class: "answer", role: "status" });
    this.volume = el("input", { type: "range", min: 0, max: 100, value: kept("volume", 100), "aria-label": "volume" });
    this.volume.addEventListener("change", () => {
      keep("volume", Number(this.volume.value));
      set_volume(Number(this.volume.value));
    });
    set_volume(Number(this.volume.value));
    parent.append(
      button("silence", "", () => this._press("silence", {}, "what is new sounds")),
      this.tile,
      button("touch", "TOUCH TO ARM THE SOUND", () => {}),
      button("test", "Test sound", () => this._press("test_sound", { person: this._person }, "listen")),
      button("heard", "I heard it", () => this._hear()),
      this.volume,
      this.person,
      button("watch", "Take watch …", () => this._open_names()),
      button("gangway", "I AM HERE", () => this._press("gangway_reply", {}, "thank you")),
      this.answer,
    );
    this._silence_words = el("span", {}, "SILENCE 30 s");
    this.silence.append(icon("silence-iec"), this._silence_words);
    this.silence.accessKey = "s"; // it stands last on the way of the keys, and is wanted first
    this._dialog = this._make_dialog();
    parent.append(this._dialog);
  }

  draw(picture, { now_s, stale, station, armed, visitor }) {
    this._crew = picture.crew && !stale && !picture.is_old(picture.crew) ? picture.crew.persons : null;
    const own = station ? picture.one("station", station) : null;
    this._own = own;
    this._person = own?.person ?? undefined;
    const is_known = own && !stale && !picture.is_old(own);
    const is_page = own?.sounder === "page";
    const lacks = is_known ? own.lacks : [];
    this.silence.disabled = !station || stale;
    const left_s = stale ? 0 : silence_left_s(picture, now_s);
    say(this._silence_words, left_s > 0 ? `SILENT ${Math.ceil(left_s)} s` : "SILENCE 30 s");
    this._draw_tile({ station, own, is_known, armed });
    this.touch.hidden = !station || !is_page || armed;
    this.test.hidden = this.heard.hidden = !own || !is_page;
    this.test.disabled = !is_known || !this._person || !armed;
    this.test.title = this._person ? "" : "take the watch first";
    this.heard.disabled = !is_known || !own.test_sound || !this._person;
    mark(this.test, "wanted", lacks.includes("heard"));
    this.volume.hidden = !is_page;
    this.volume.min = own?.volume_floor ?? 0;
    say(this.person, watch_words(picture, { own, is_known, now_s, station, visitor }));
    this.watch.disabled = !is_known;
    const wanted = is_known ? own.reply_wanted : null;
    this.gangway.hidden = !wanted;
    if (wanted) {
      const left = Math.max(0, wanted.answer_by_up - picture.up(now_s));
      say(this.gangway, `ANYBODY AT THE GANGWAY? PRESS · ${age(left)} left`);
    }
  }

  _draw_tile({ station, own, is_known, armed }) {
    const [sign, words] = this.tile.children;
    say(words, tile_words({ station, own, is_known, armed }));
    const is_armed = is_known ? own.sound_armed : null;
    if (!sign.firstChild || this.tile.dataset.armed !== String(is_armed)) {
      sign.replaceChildren(icon(is_armed ? "sound-fill" : "sound-muted-fill"));
    }
    mark(this.tile, "armed", is_armed);
  }

  /** Say what came of something that was pressed. */
  say(words) {
    say(this.answer, words);
  }

  async _press(verb, members, done) {
    say(this.answer, "…");
    const reply = await this._ask(verb, members);
    say(this.answer, reply.words ?? done);
    return reply;
  }

  _hear() {
    this._press("heard", { person: this._person, nonce: this._own.test_sound.nonce }, "noted: heard");
  }

  _make_dialog() {
    this._names = el("div", { class: "names" });
    this._name = el("input", { name: "person", autocomplete: "off", maxlength: 60, required: true });
    this._typed = el(
      "div",
      { class: "typed" },
      el("label", {}, "Name, as the crew list has it ", this._name),
      el("button", { type: "submit", class: "ok" }, "Take watch"),
    );
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", {}, "Who takes the watch here?"),
      this._names,
      this._typed,
      el("button", { type: "button", class: "cancel", on: { click: () => this._dialog.close() } }, "Cancel"),
    );
    form.addEventListener("submit", () => this._take(this._name.value.trim()));
    return el("dialog", { class: "watch" }, form);
  }

  /** One press on a name; to type it is only for where ispsd has told no list. */
  _open_names() {
    const crew = this._crew ?? [];
    this._names.replaceChildren(
      ...crew.map(({ name, rank }) =>
        el("button", { type: "button", data: { person: name }, on: { click: () => this._take(name) } }, `${rank} ${name}`.trim()),
      ),
    );
    this._typed.hidden = crew.length > 0;
    this._name.disabled = this._typed.hidden;
    this._name.value = "";
    this._dialog.showModal();
  }

  async _take(person) {
    this._dialog.close();
    if (!person) return;
    const reply = await this._press(WATCH, { person }, `${person} has the watch`);
    if (reply.accepted) say(this.answer, handed_over(person, reply.extra));
  }
}

function tile_words({ station, own, is_known, armed }) {
  if (!station) return "no station: this page only shows";
  if (!own) return "SOUND ?";
  if (!is_known) return "SOUND NOT KNOWN";
  if (own.sound_armed) return "SOUND ARMED";
  if (own.sounder === "page" && !armed) return "SOUND NOT ARMED: touch";
  if (own.sounder === "program" && own.lacks.length === 0) return "SOUND NOT ARMED: its sounder does not answer";
  return `SOUND NOT ARMED${own.lacks.length ? `: ${own.lacks.join(", ")}` : ""}`;
}

/** How long what is silenced stays so: by the age of the message that said it. */
function silence_left_s(picture, now_s) {
  const silenced = picture.all("alert").filter(({ state }) => state === "S");
  return Math.max(0, ...silenced.map((each) => SILENCE_S - (picture.age_s(each, now_s) ?? SILENCE_S)));
}

function watch_words(picture, { own, is_known, now_s, station, visitor }) {
  if (!own) return "";
  if (!is_known) return `${station}: watch not known`;
  if (own.person === null) return `${station}: NOBODY HAS THE WATCH`;
  const up = picture.up(now_s);
  const since = visitor || own.since_up === null || up === null ? "" : ` for ${age(up - own.since_up)}`;
  return `${station}: ${own.person}${since}`;
}

/** What whoever takes the watch has to know, counted. */
function handed_over(person, extra) {
  const count = (name) => (Array.isArray(extra?.[name]) ? extra[name].length : 0);
  const relieved = typeof extra?.relieved === "string" ? `, ${extra.relieved} is relieved` : "";
  const parts = [
    [count("open"), "alerts open"],
    [count("inhibited"), "inhibited"],
    [count("permits"), "permits"],
    [count("out_of_service"), "out of service"],
    [count("expires"), "end within 4 h"],
  ].filter(([number]) => number);
  return `${person} has the watch${relieved}${parts.map(([number, words]) => ` · ${number} ${words}`).join("")}`;
}
