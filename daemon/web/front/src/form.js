// One question to a person, in a dialog of its own: what was typed or chosen, or null where it was called off.

import { el } from "./draw.js";

/** `fields`: [name, words, how], `how` being the input's attributes, or `choose`: pairs of a value and its words. */
export function asked(title, fields, press) {
  return new Promise((resolve) => {
    const inputs = fields.map(([name, words, how = {}]) => {
      const input = how.choose ? chooser(name, how) : el("input", { name, autocomplete: "off", maxlength: 80, ...how });
      return [name, input, el("label", {}, `${words} `, input)];
    });
    const dialog = el("dialog", { class: "asked" });
    let said = null;
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", {}, title),
      ...inputs.map(([, , label]) => label),
      el("button", { type: "submit", class: "ok" }, press),
      el("button", { type: "button", class: "cancel", on: { click: () => dialog.close() } }, "Cancel"),
    );
    form.addEventListener("submit", () => {
      said = Object.fromEntries(inputs.map(([name, input]) => [name, input.value.trim()]));
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(said);
    });
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

function chooser(name, { choose, ...how }) {
  return el("select", { name, ...how }, ...choose.map(([value, words]) => el("option", { value }, words)));
}
