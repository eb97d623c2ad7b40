// MQTT 5 over WebSocket to the ship's broker. A client of its own for each connection: one that reconnects by itself
// would send old commands after new ones. Whoever acts gets an answer, or is told that none came.

import mqtt from "mqtt";
import { checked } from "./checked.js";
import { ALONE, BY_ID, CITADEL } from "./topics.js";

/** The broker drops a command that it could not hand over within so long, and ispsd refuses it. */
const EXPIRY_S = 10;
const AGAIN_MS = 3000;
const REPLY_MS = 10000;
const RETRY_MS = [500, 1000, 2000, 4000];
/** A connection that lasted less was none: a broker that takes and drops us is not asked twice a second for ever. */
const LASTED_MS = 10_000;
/** A broker that refuses us may be about to read its passwords anew; a station must not need a hand at 0300. */
const REFUSED_AGAIN_MS = 20_000;
const KEEPALIVE_S = 5;
const SELFTEST = "selftest/";
/** Not authorised, bad user name or password: waiting does not help (MQTT 5, 3.2.2.2). */
const REFUSED = [0x86, 0x87, 0x8c];

export class Link {
  /** `on`: connected(), lost(reason, is_refused), message(topic, payload), asked(nonce, payload): a synthetic alert. */
  constructor({ address, root, station, password, on }) {
    this._address = address;
    this._root = root;
    this._station = station;
    this._password = password;
    this._on = on;
    this._client = null;
    this._waiting = new Map();
    this._tries = 0;
    this._timer = null;
    this._closed = false;
  }

  open() {
    if (this._closed) return;
    let client;
    try {
      client = this._connect();
    } catch (error) {
      this._on.lost(`no way to the broker: ${error.message}`, false); // as a browser that blocks ws: from https:
      this._open_later(this._wait_ms());
      return;
    }
    this._follow(client);
  }

  _connect() {
    const login = this._station && this._password ? { username: this._station, password: this._password } : {};
    return mqtt.connect(this._address, {
      protocolVersion: 5,
      clientId: `ispsd-page-${token()}`,
      clean: true,
      keepalive: KEEPALIVE_S,
      connectTimeout: 5000,
      reconnectPeriod: 0,
      queueQoSZero: false,
      timerVariant: "native", // others would want a worker out of a blob, which the page forbids
      ...login,
    });
  }

  _follow(client) {
    this._client = client;
    let reason = "no broker";
    let is_refused = false;
    let connected_ms = null;
    client.on("connect", () => {
      if (client !== this._client) return;
      connected_ms = performance.now();
      this._on.connected();
      const names = [...ALONE, ...BY_ID.map((kind) => `${kind}/+`)];
      if (this._station) names.push(`reply/${this._station}`);
      const open = this._station ? [...names, `${SELFTEST}+`] : names;
      client.subscribe(open.map((name) => `${this._root}/${name}`), { qos: 1 });
      // Only the broker knows who may read that; a refusal is none of ours to tell.
      client.subscribe(names.map((name) => `${this._root}/${CITADEL}/${name}`), { qos: 1 }, () => {});
    });
    client.on("message", (topic, payload, { retain }) => {
      if (client !== this._client) return; // of a station that this page is no more
      const asks = `${this._root}/${SELFTEST}`;
      const reply = `reply/${this._station}`;
      if ([`${this._root}/${reply}`, `${this._root}/${CITADEL}/${reply}`].includes(topic)) this._take_reply(payload);
      else if (topic.startsWith(asks)) retain || this._on.asked(topic.slice(asks.length), payload);
      else this._on.message(topic, payload);
    });
    client.on("error", (error) => {
      is_refused = REFUSED.includes(error.code);
      if (is_refused) reason = "the broker does not know this station, or its password";
    });
    client.on("close", () => {
      if (client !== this._client) return;
      this._client = null;
      client.end(true);
      if (connected_ms !== null && performance.now() - connected_ms >= LASTED_MS) this._tries = 0;
      this._on.lost(reason, is_refused);
      if (!this._closed) this._open_later(is_refused ? REFUSED_AGAIN_MS : this._wait_ms());
    });
  }

  close() {
    this._closed = true;
    clearTimeout(this._timer);
    this._client?.end(true);
    this._client = null;
  }

  _wait_ms() {
    const wait_ms = RETRY_MS[Math.min(this._tries, RETRY_MS.length - 1)];
    this._tries += 1;
    return wait_ms * (1 + Math.random() / 4); // not every page of the ship at once
  }

  _open_later(wait_ms) {
    this._timer = setTimeout(() => this.open(), wait_ms);
  }

  /** Send a command as this station; resolves with the reply, rejects where none came. */
  ask(verb, session, members) {
    const id = token();
    const payload = JSON.stringify({ id, session, ...members });
    return new Promise((resolve, reject) => {
      const again = setTimeout(() => this._publish(verb, payload), AGAIN_MS);
      const given_up = setTimeout(() => done(() => reject(new Error("no answer: press again"))), REPLY_MS);
      const done = (then) => {
        clearTimeout(again);
        clearTimeout(given_up);
        this._waiting.delete(id);
        then();
      };
      this._waiting.set(id, (reply) => done(() => resolve(reply)));
      if (!this._publish(verb, payload, (error) => done(() => reject(error)))) {
        done(() => reject(new Error("not connected: nothing was sent")));
      }
    });
  }

  _publish(verb, payload, failed = () => {}) {
    if (!this._client?.connected || !this._station) return false;
    const options = { qos: 1, retain: false, properties: { messageExpiryInterval: EXPIRY_S } };
    this._client.publish(`${this._root}/cmd/${this._station}/${verb}`, payload, options, (error, packet) => {
      if (error || (packet?.reasonCode ?? 0) >= 0x80) {
        failed(new Error(`the broker refused it: ${error?.message ?? packet.reasonCode}`));
      }
    });
    return true;
  }

  _take_reply(payload) {
    const said = checked("reply", payload);
    if (said) this._waiting.get(said.id)?.(said);
  }
}

function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
