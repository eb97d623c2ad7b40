// What is known of the ship in the open, and behind the curtain? Two pictures of the same ship (docs/mqtt.md, "The
// curtain"): a page of the citadel shows the second while the curtain is down, every other page a clock. Pure.

import { checked } from "./checked.js";
import { Picture } from "./picture.js";

export class Pictures {
  /** `was_down`: as this browser knew it last; it stays so until the broker has told otherwise. */
  constructor(root, { started_s, was_down }) {
    this.open = new Picture(root, { started_s });
    this.inside = new Picture(`${root}/citadel`, { started_s });
    this.station = null;
    if (was_down) this.open.curtain = { ...was_down, connection: -1 };
  }

  get is_down() {
    return this.open.curtain !== null;
  }

  /**
   * Whether only a clock may be shown: this station is not told what goes on behind the curtain, or is not of those that
   * sound there. So a broker that tells everybody everything opens no page.
   */
  get is_curtained() {
    const own = this.station ? this.inside.one("station", this.station) : null;
    return this.is_down && !own?.sounds;
  }

  /** What is shown. */
  get now() {
    return this.is_down && !this.is_curtained ? this.inside : this.open;
  }

  /** Shut this page alone, since ispsd could not be asked: what it says next counts. */
  shut_here() {
    this.open.curtain = { ship_time_offset_min: this.now.ship?.ship_time_offset_min ?? null, connection: -1 };
  }

  /** Take that back: ispsd was asked after all, and did not do it. */
  open_here() {
    if (this.open.curtain?.connection === -1) this.open.curtain = null;
  }

  take(topic, payload, now_s) {
    const kind = this.open.take(topic, payload, now_s) ?? this.inside.take(topic, payload, now_s);
    // The will is one, and stands in the open.
    if (kind === "status" && checked("status", payload)?.state === "offline") {
      this.inside.take(`${this.inside.root}/status`, payload, now_s);
    }
    this.inside.adopt_beat(this.open);
    return kind;
  }

  connected_anew() {
    for (const each of [this.open, this.inside]) each.connected_anew();
  }

  connection_lost() {
    for (const each of [this.open, this.inside]) each.connection_lost();
  }

  forget_beat() {
    for (const each of [this.open, this.inside]) each.forget_beat();
  }
}
