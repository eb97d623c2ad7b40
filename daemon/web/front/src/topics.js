// What does a page hear? The topics of docs/mqtt.md that are open to every station, below the root of the ship.

/** One message of each kind. */
export const ALONE = ["status", "heartbeat", "snapshot", "ship", "crew", "curtain", "palette"];
/** One for each thing of a kind: its id is the last level of the topic. */
export const BY_ID = ["alert", "point", "permit", "inhibit", "equipment", "test", "station", "driver"];
/** Where everything goes on while the curtain is down, for who may read it. */
export const CITADEL = "citadel";
