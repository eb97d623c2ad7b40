// What this browser keeps over a reload: palette, station and credential, volume.

const PREFIX = "ispsd.";

export function kept(name, otherwise = null) {
  try {
    const said = localStorage.getItem(PREFIX + name);
    return said === null ? otherwise : JSON.parse(said);
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing asks again after a reload.
  }
}
