/**
 * The side of a manager that has resources: it offers, holds, leases and takes back.
 *
 * Whatever it has promised ends by itself, so nobody has to be told that a requester is gone.
 */
import { Ledger } from "./ledger.mjs";

/**
 * @typedef {import("../lib/clock.mjs").Clock} Clock
 * @typedef {{ ledger: Ledger, to: string, stop: () => void }} Promised
 */

/** The resources of one manager: one, or all of a host. */
export class Provider {
  ledgers;
  #say;
  #clock;
  #times;
  #location;
  /** Held and leased, by key. @type {Map<string, Promised>} */
  #promised = new Map();

  /**
   * @param {readonly import("./ledger.mjs").Resource[]} resources
   * @param {string} location Of all of them.
   * @param {import("./manager.mjs").Say} say
   * @param {Clock} clock
   * @param {import("./protocol.mjs").Times} times
   */
  constructor(resources, location, say, clock, times) {
    this.ledgers = resources.map((resource) => new Ledger(resource));
    this.#location = location;
    this.#say = say;
    this.#clock = clock;
    this.#times = times;
  }

  /** Says what there is: when it joins, and from time to time. */
  announce() {
    for (const { resource, free } of this.ledgers) {
      const { name, kind, capacity } = resource;
      this.#say("announced", { attributes: { resource: name, kind, capacity, free, location: this.#location } });
    }
  }

  /** @param {string} key @param {string} from @param {string} kind @param {number} amount */
  wanted(key, from, kind, amount) {
    // The emptiest one, so that large requests find room for longer.
    const [ledger] = this.ledgers
      .filter(({ resource, free }) => resource.kind === kind && free >= amount)
      .sort((one, other) => other.free - one.free);
    if (ledger === undefined || !(amount > 0) || this.#promised.has(key) || !ledger.set(key, amount)) return;
    this.#promise(key, { ledger, to: from, stop: () => {} }, this.#times.holdMs);
    const { name } = ledger.resource;
    this.#say("offered", {
      key,
      to: from,
      attributes: { resource: name, location: this.#location, free: ledger.free },
    });
  }

  /** @param {string} key @param {string} resource The one that was chosen, perhaps another one's. */
  accepted(key, resource) {
    const promised = this.#promised.get(key);
    if (promised?.ledger.resource.name === resource) this.#grant(key, promised);
    // Somebody else's offer was better, or ours is over.
    else if (promised !== undefined) this.release(key);
  }

  /** @param {string} key @param {string} from @param {string} resource */
  renewed(key, from, resource) {
    const promised = this.#promised.get(key);
    if (promised !== undefined) this.#grant(key, promised);
    else if (this.#has(resource)) this.#say("denied", { key, to: from });
  }

  /** @param {string} key @param {string} from @param {string} resource @param {number} amount */
  changed(key, from, resource, amount) {
    const promised = this.#promised.get(key);
    // Where there is not enough, the answer is what it has already.
    if (promised !== undefined) {
      if (amount > 0) promised.ledger.set(key, amount);
      this.#grant(key, promised);
    } else if (this.#has(resource)) this.#say("denied", { key, to: from });
  }

  /** Takes back. @param {string} key */
  release(key) {
    const promised = this.#promised.get(key);
    if (promised === undefined) return;
    promised.stop();
    this.#promised.delete(key);
    promised.ledger.set(key, 0);
  }

  /** Goes in order: says so, and forgets its promises. */
  leave() {
    for (const { resource } of this.ledgers) this.#say("withdrawn", { attributes: { resource: resource.name } });
    this.stop();
  }

  /** Ends without a word, as a process does that is killed. */
  stop() {
    for (const { stop } of this.#promised.values()) stop();
  }

  /** @param {string} key @param {Promised} promised */
  #grant(key, promised) {
    this.#promise(key, promised, this.#times.leaseMs);
    const { ledger, to } = promised;
    this.#say("granted", { key, to, attributes: { resource: ledger.resource.name, amount: ledger.amountOf(key) } });
  }

  /** Keeps a promise for so long and no longer. @param {string} key @param {Promised} promised @param {number} forMs */
  #promise(key, promised, forMs) {
    promised.stop();
    promised.stop = this.#clock.setTimer(() => this.release(key), forMs);
    this.#promised.set(key, promised);
  }

  /** @param {string} name */
  #has(name) {
    return this.ledgers.some(({ resource }) => resource.name === name);
  }
}
