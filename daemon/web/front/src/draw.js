// Elements out of words. Whatever comes from outside is text and nothing else: nothing here reads markup.

export function el(name, given = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "class") node.className = value;
    else if (value !== null && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** More of one text than this nobody reads on a screen. */
const MOST_SHOWN = 2000;

/** Write a text into a node where it differs, so that nothing is painted in vain. */
export function say(node, text) {
  const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  if (node.textContent !== shown) node.textContent = shown;
}

export function mark(node, name, value) {
  if (value === null || value === false) delete node.dataset[name];
  else if (node.dataset[name] !== String(value)) node.dataset[name] = value;
}

/** Keep one child for each item, in their order; what stays is not touched, so it keeps focus and flash. */
export function rows(parent, items, key, make, update) {
  const known = (parent.ispsd_rows ??= new Map());
  const wanted = new Set(items.map(key));
  for (const [name, node] of known) {
    if (!wanted.has(name)) {
      node.remove();
      known.delete(name);
    }
  }
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  let before = null;
  for (const item of items) {
    const name = key(item);
    let node = known.get(name);
    if (!node) known.set(name, (node = make(item)));
    update(node, item);
    const place = before ? before.nextSibling : parent.firstChild;
    if (node !== place) parent.insertBefore(node, place);
    before = node;
  }
  // A node that is moved loses the focus, and whoever goes by keys his place.
  if (focused && parent.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

/** How old something is: as one would say it. */
export function age(seconds) {
  if (seconds === null) return "?";
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

/** Hour and minute of a moment in UTC, as it is written on the wire and in a log book. */
export const hhmm_z = (utc) => `${utc.slice(11, 13)}${utc.slice(14, 16)}Z`;
