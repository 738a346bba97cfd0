/** Those who ask the cluster: they publish requests and measure how long the answers take. */
import { DATA } from "./channels.mjs";

/**
 * @typedef {{ ms: number, served: "local" | "remote" | "timeout", server: string | undefined, sentAt: number }} Outcome `server` as
 *   the request named it.
 *
 * @typedef {object} ClientSettings
 * @property {number} timeoutMs After which nobody waits any more; such a request counts as having taken so long.
 * @property {number} [copies] To how many servers a request goes, where the route asks for it.
 */

/** All clients of a cluster as one: a session more or less changes nothing for the servers. */
export class Client {
  /** @type {Outcome[]} */
  outcomes = [];
  sent = 0;
  /** Work of all requests together. */
  askedMs = 0;
  #clock;
  #settings;
  #data;
  /** By key. @type {Map<string, { sentAt: number, server: string | undefined, stop: () => void }>} */
  #pending = new Map();

  /**
   * @param {import("../lib/session.mjs").Session} session
   * @param {import("../lib/clock.mjs").Clock} clock
   * @param {ClientSettings} settings
   * @param {() => void} [onJoined]
   */
  constructor(session, clock, settings, onJoined = () => {}) {
    this.#clock = clock;
    this.#settings = settings;
    this.#data = session.join({
      channel: DATA,
      role: "both",
      types: ["answer"],
      onEvent: ({ key = "", attributes }) => this.#end(key, attributes?.["served"] === "remote" ? "remote" : "local"),
      onJoined,
    });
  }

  /** Requests that are neither answered nor given up. */
  get pending() {
    return this.#pending.size;
  }

  /**
   * Asks.
   *
   * @param {number} work Time that a server takes for it, in ms.
   * @param {string} [server] Which one; absent: the host's routes choose.
   */
  request(work, server) {
    const { timeoutMs, copies } = this.#settings;
    const key = `r-${++this.sent}`;
    this.askedMs += work;
    const stop = this.#clock.setTimer(() => this.#end(key, "timeout"), timeoutMs);
    this.#pending.set(key, { sentAt: this.#clock.now(), server, stop });
    this.#data.publish({
      type: "request",
      key,
      ttlMs: timeoutMs,
      attributes: { work, ...(server === undefined ? {} : { server }), ...(copies === undefined ? {} : { copies }) },
    });
  }

  /** @param {string} key @param {Outcome["served"]} served */
  #end(key, served) {
    const asked = this.#pending.get(key);
    // A second answer, or one that comes when nobody waits for it.
    if (asked === undefined) return;
    this.#pending.delete(key);
    asked.stop();
    const { sentAt, server } = asked;
    this.outcomes.push({ sentAt, server, served, ms: this.#clock.now() - sentAt });
  }
}
