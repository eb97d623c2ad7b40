// In which order do alerts stand? MSC.302(87) 9.16, IEC 62923-1: unacknowledged first, then rectified but unacknowledged,
// then acknowledged; inside by priority, then the newest change of state. To silence is no such change.

const RANK = { V: 0, S: 0, U: 1, A: 2, O: 2 };
const PRIORITY = { A: 0, W: 1, C: 2 };
export const PRIORITY_WORDS = { A: "ALARM", W: "WARNING", C: "CAUTION" };

export const unacknowledged = (alert) => RANK[alert.state] < 2;

/** Whether the row of an alert flashes: an alarm or a warning that waits to be acknowledged (docs/mqtt.md). */
export const flashes = (alert) => unacknowledged(alert) && alert.priority !== "C";

// An alert that is silenced keeps the moment at which it was raised: that is when its state last changed.
const moment = (alert) => (alert.state === "V" || alert.state === "S" ? alert.raised_utc : alert.changed_utc);

export function in_order(alerts) {
  return [...alerts].sort(
    (one, other) =>
      RANK[one.state] - RANK[other.state] ||
      PRIORITY[one.priority] - PRIORITY[other.priority] ||
      (moment(one) < moment(other) ? 1 : moment(one) > moment(other) ? -1 : 0) ||
      (one.id < other.id ? -1 : 1),
  );
}
