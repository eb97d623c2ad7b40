// The corner for one hand, always the same: the curtain, and the dimmer beside it.

import { el, mark, say } from "./draw.js";

export class Corner {
  /** `on_curtain()` lets it down, or asks who raises it; `step(by)` makes the page darker (1) or brighter (-1). */
  constructor(parent, { on_curtain, step }) {
    const button = (name, words, act, given = {}) =>
      (this[name] = el("button", { type: "button", class: name, ...given, on: { click: act } }, words));
    parent.append(
      button("curtain", "CURTAIN", on_curtain),
      button("darker", "−", () => step(1), { "aria-label": "darker", title: "darker" }),
      button("brighter", "+", () => step(-1), { "aria-label": "brighter", title: "brighter" }),
    );
  }

  draw(_, { station, is_down }) {
    say(this.curtain, is_down ? "RAISE CURTAIN" : "CURTAIN");
    mark(this.curtain, "down", is_down);
    this.curtain.disabled = !station;
  }
}
