// How high does the sun stand where the ship is, and which palette is that? Pure. The low-precision formulas of the
// Astronomical Almanac, good to a hundredth of a degree in this century; a test holds them against daemon/navigation/daylight.py.

const J2000_MS = Date.UTC(2000, 0, 1, 12);
const DAY_MS = 86_400_000;
/** The sun is up (its upper limb, with refraction); civil twilight ends; and it is high enough to blind. */
const SET_DEG = -0.833;
const CIVIL_DEG = -6;
const HIGH_DEG = 20;
/** Between two palettes the one that is shown stays for so long, so that none flickers. */
const BETWEEN_DEG = 0.5;
const DARK_FIRST = ["night", "dusk", "day", "bright"];
const FROM_DEG = [-90, CIVIL_DEG, SET_DEG, HIGH_DEG];

const rad = (deg) => (deg * Math.PI) / 180;
const deg = (angle) => (angle * 180) / Math.PI;

export function sun_deg({ lat_deg, lon_deg }, utc_ms) {
  const days = (utc_ms - J2000_MS) / DAY_MS;
  const mean_deg = 280.46 + 0.9856474 * days;
  const anomaly = rad(357.528 + 0.9856003 * days);
  const longitude = rad(mean_deg + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly));
  const tilt = rad(23.439 - 4e-7 * days);
  const ascension = Math.atan2(Math.cos(tilt) * Math.sin(longitude), Math.cos(longitude));
  const declination = Math.asin(Math.sin(tilt) * Math.sin(longitude));
  const sidereal_deg = 280.46062 + 360.98564737 * days;
  const hour = rad(sidereal_deg + lon_deg) - ascension;
  const latitude = rad(lat_deg);
  return deg(
    Math.asin(
      Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(hour),
    ),
  );
}

/** Return the palette for a height of the sun; `shown` stays while the sun is near a change. */
export function palette(height_deg, shown) {
  const at = FROM_DEG.findLastIndex((from) => height_deg >= from);
  const was = DARK_FIRST.indexOf(shown);
  const lighter = at === was + 1 && height_deg < FROM_DEG[at] + BETWEEN_DEG;
  return lighter ? shown : DARK_FIRST[at];
}

/** Return a position that a receiver vouches for, null where none does: a suspect one may be an attacker's. */
export function own_position(points) {
  for (const { value, quality } of points) {
    const { lat_deg, lon_deg } = value?.position ?? {};
    if (quality === "good" && value?.fix_quality > 0 && Math.abs(lat_deg) <= 90 && Math.abs(lon_deg) <= 180) {
      return { lat_deg, lon_deg };
    }
  }
  return null;
}
