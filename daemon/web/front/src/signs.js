// The signs of alerts, and the few others: OpenBridge's, drawn out of their paths.

import { ICONS } from "openbridge:icons";

const PRIORITIES = { A: "alarm", W: "warning" };
const STATES = { V: "unacknowledged", S: "silenced", A: "acknowledged", O: "transferred", U: "rectified" };

/** The sign of an alert: a triangle, a disc, a square by its priority, and its state upon it. A caution has one. */
export function sign({ priority, state }) {
  return icon(priority === "C" ? "caution-color-iec" : `${PRIORITIES[priority]}-${STATES[state] ?? STATES.V}-iec`);
}

/** Draw an icon; what carries its words stands beside it. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.dataset.icon = name;
  for (const [form, is_mark, rule] of ICONS[name]) {
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("class", is_mark ? "mark" : "ground");
    path.setAttribute("fill-rule", rule);
    path.setAttribute("clip-rule", rule);
    path.setAttribute("d", form);
    svg.append(path);
  }
  return svg;
}
