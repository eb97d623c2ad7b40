// What a person asks for at this page: sent, asked back where ispsd wants more, and answered in words.

import { asked } from "./form.js";
import { said_of } from "./orders.js";

export class Acts {
  /** `send(verb, members)` resolves with the reply and rejects where none came; `person()` has the watch; `picture()` is what is shown. */
  constructor({ send, person, picture }) {
    this._send = send;
    this._person = person;
    this._picture = picture;
  }

  /** Send what needs no answer; one that is lost is said again. */
  tell(verb, members) {
    this._send(verb, members).catch(() => {});
  }

  /** Ask for something; the answer has `words` where it went wrong. `heard(reply)`: before the person is asked for more. */
  async ask(verb, members, heard = () => {}) {
    try {
      const reply = await this._send(verb, members);
      heard(reply);
      const more = reply.accepted ? null : await wanted(reply);
      if (more) return await this.ask(verb, { ...members, ...more }, heard);
      if (!reply.accepted) return { ...reply, words: `refused: ${String(reply.reason ?? "").slice(0, 300)}` };
      return reply;
    } catch (error) {
      return { accepted: false, is_lost: true, words: error.message };
    }
  }

  /** Do what a button is for: the person is whoever has the watch here, unless another is named. */
  async act(what) {
    if (what.is_question) return said_of(await this.ask(what.verb, {}));
    const person = this._person();
    if (!person) return "take the watch first";
    const said = await asked(what.title, what.fields(this._picture(), person), what.press);
    if (said === null) return "";
    const members = Object.fromEntries(Object.entries(what.members(said)).filter(([, value]) => value !== ""));
    return said_of(await this.ask(what.verb, { person, ...members }));
  }

  async acknowledge({ id, instance, priority }) {
    const person = this._person();
    const members = { alert: id, instance, priority, ...(person ? { person } : {}) };
    const reply = await this.ask("ack", members);
    if (reply.words) return reply.words;
    if (reply.already) return `already acknowledged at ${String(reply.already.station).slice(0, 64)}`;
    return reply.recorded === null ? "acknowledged · not yet recorded" : `acknowledged · no. ${reply.recorded}`;
  }
}

/** What a refusal wants beside, from the person: a PIN, or the word that it is meant; null where nothing helps. */
async function wanted({ reason, extra }) {
  const wants = extra?.wants;
  if (typeof wants?.pin === "string") {
    const pin = { type: "password", maxlength: 64, required: true };
    return asked(`PIN of ${wants.pin.slice(0, 80)}`, [["pin", "PIN", pin]], "Send");
  }
  if (wants?.name === true) return asked("Who? Nobody has the watch here", [["person", "Name", { required: true }]], "Send");
  if (wants?.confirm !== true) return null;
  return (await asked(String(reason ?? "").slice(0, 300), [], "It is meant")) && { confirm: true };
}
