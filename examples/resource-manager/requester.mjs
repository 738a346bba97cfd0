/**
 * The side of a manager that wants resources for an application: it asks everybody, chooses, keeps the lease alive, and says
 * when something is lost.
 */
import { ATTEMPTS } from "./protocol.mjs";

/**
 * @typedef {{ resource: string, location: string, free: number, afterMs: number }} Offer `free`: what is left of the resource.
 * @typedef {(offers: readonly Offer[], location: string) => Offer | undefined} Criterion
 *
 * @typedef {object} Allocation
 * @property {string} key
 * @property {string} resource
 * @property {number} amount
 * @property {number} validUntil By our clock; earlier than by that of who granted it, so nobody else can have it yet.
 *
 * @typedef {object} Wish
 * @property {string} kind
 * @property {number} amount
 * @property {Criterion} [criterion]
 * @property {(allocation: Allocation | undefined) => void} [onResult] Undefined: nobody has it.
 * @property {(allocation: Allocation) => void} [onLost] `resourceLost`: the lease could not be renewed.
 *
 * @typedef {{ wish: Wish, attempt: number, askedAt: number, offers: Offer[], chosen: string, acceptedAt: number, stop: () => void }}
 *   Negotiation
 */

/** Ways to choose. @type {{ fastest: Criterion, nearest: Criterion, emptiest: Criterion }} */
export const criteria = {
  fastest: ([first]) => first,
  nearest: (offers, location) => offers.find((offer) => offer.location === location) ?? offers[0],
  emptiest: (offers) => [...offers].sort((one, other) => other.free - one.free)[0],
};

/** Less time than this is none. */
const LEFT_MS = 0.01;

/** All that one manager has asked for. */
export class Requester {
  /** What it has. @type {Map<string, Allocation>} */
  allocations = new Map();
  #name;
  #location;
  #say;
  #clock;
  #times;
  #count = 0;
  /** Under way, by key. @type {Map<string, Negotiation>} */
  #negotiations = new Map();
  /** What is to happen with what it has. @type {Map<string, { wish: Wish, saidAt: number, stop: () => void }>} */
  #kept = new Map();

  /**
   * @param {string} name @param {string} location @param {import("./manager.mjs").Say} say
   * @param {import("../lib/clock.mjs").Clock} clock @param {import("./protocol.mjs").Times} times
   */
  constructor(name, location, say, clock, times) {
    this.#name = name;
    this.#location = location;
    this.#say = say;
    this.#clock = clock;
    this.#times = times;
  }

  /** Asks all managers there may be, this one included. @param {Wish} wish */
  allocate(wish) {
    this.#ask(wish, 1);
  }

  /** Needs another amount from now on; where that is not to be had, everything stays. @param {string} key @param {number} amount */
  change(key, amount) {
    this.#sayAbout(key, "changed", { amount });
  }

  /** Gives back. @param {string} key */
  release(key) {
    this.#sayAbout(key, "released", {});
    this.#forget(key);
  }

  /** @param {string} key @param {Omit<Offer, "afterMs">} offer */
  offered(key, offer) {
    const negotiation = this.#negotiations.get(key);
    // An offer that comes when all is decided ends with its hold.
    if (negotiation === undefined || negotiation.chosen !== "") return;
    negotiation.offers.push({ ...offer, afterMs: this.#clock.now() - negotiation.askedAt });
  }

  /** @param {string} key @param {string} resource @param {number} amount */
  granted(key, resource, amount) {
    const negotiation = this.#negotiations.get(key);
    const kept = this.#kept.get(key);
    if (negotiation !== undefined) {
      this.#end(key);
      const allocation = { key, resource, amount, validUntil: negotiation.acceptedAt + this.#times.leaseMs };
      this.allocations.set(key, allocation);
      const { wish, acceptedAt } = negotiation;
      this.#kept.set(key, { wish, saidAt: acceptedAt, stop: () => {} });
      this.#watch(key);
      wish.onResult?.(allocation);
    } else if (kept !== undefined) {
      // From when we asked, and not from now: the lease began before the answer was on its way.
      const allocation = /** @type {Allocation} */ (this.allocations.get(key));
      allocation.amount = amount;
      allocation.validUntil = kept.saidAt + this.#times.leaseMs;
      this.#watch(key);
    }
    // The answer to what we have given up on already.
    else this.#say("released", { key });
  }

  /** @param {string} key */
  denied(key) {
    const allocation = this.allocations.get(key);
    if (allocation !== undefined) this.#lose(allocation);
    else this.#again(key);
  }

  /** A resource is gone: so is what we had of it. @param {string} resource */
  lost(resource) {
    for (const allocation of [...this.allocations.values()])
      if (allocation.resource === resource) this.#lose(allocation);
  }

  /** Ends without a word. */
  stop() {
    for (const { stop } of [...this.#negotiations.values(), ...this.#kept.values()]) stop();
  }

  /** @param {Wish} wish @param {number} attempt */
  #ask(wish, attempt) {
    const key = `${this.#name}/${++this.#count}`;
    /** @type {Negotiation} */
    const negotiation = {
      wish,
      attempt,
      askedAt: this.#clock.now(),
      offers: [],
      chosen: "",
      acceptedAt: 0,
      stop: this.#clock.setTimer(() => this.#choose(key, negotiation), this.#times.offersMs),
    };
    this.#negotiations.set(key, negotiation);
    this.#say("wanted", { key, attributes: { kind: wish.kind, amount: wish.amount } });
  }

  /** @param {string} key @param {Negotiation} negotiation */
  #choose(key, negotiation) {
    const { wish, offers } = negotiation;
    const offer = (wish.criterion ?? criteria.fastest)(offers, this.#location);
    if (offer === undefined) {
      this.#end(key);
      return wish.onResult?.(undefined);
    }
    negotiation.chosen = offer.resource;
    negotiation.acceptedAt = this.#clock.now();
    negotiation.stop = this.#clock.setTimer(() => this.#again(key), this.#times.grantMs);
    // To all: whoever else has offered hears by it that it may have its own back.
    this.#say("accepted", { key, attributes: { resource: offer.resource } });
  }

  /** The one that was chosen is silent, or has it no more: anew, with another key. @param {string} key */
  #again(key) {
    const negotiation = this.#end(key);
    if (negotiation === undefined) return;
    this.#say("released", { key });
    if (negotiation.attempt < ATTEMPTS) this.#ask(negotiation.wish, negotiation.attempt + 1);
    else negotiation.wish.onResult?.(undefined);
  }

  /** @param {string} key */
  #end(key) {
    const negotiation = this.#negotiations.get(key);
    negotiation?.stop();
    this.#negotiations.delete(key);
    return negotiation;
  }

  /** Renews in time, and notices when that is in vain. @param {string} key */
  #watch(key) {
    const kept = this.#kept.get(key);
    const allocation = this.allocations.get(key);
    if (kept === undefined || allocation === undefined) return;
    kept.stop();
    const left = allocation.validUntil - this.#clock.now();
    // A remainder that a clock cannot show is over, too.
    if (left < LEFT_MS) return this.#lose(allocation);
    const renewMs = this.#times.leaseMs / 3;
    // Not beyond the end of the lease: there it is lost, and not a moment later.
    kept.stop = this.#clock.setTimer(
      () => {
        if (allocation.validUntil - this.#clock.now() > LEFT_MS) this.#sayAbout(key, "renewed", {});
        this.#watch(key);
      },
      Math.min(renewMs, left),
    );
  }

  /** @param {string} key @param {"renewed" | "changed" | "released"} type @param {import("../lib/session.mjs").Attributes} more */
  #sayAbout(key, type, more) {
    const allocation = this.allocations.get(key);
    const kept = this.#kept.get(key);
    if (allocation === undefined || kept === undefined) return;
    kept.saidAt = this.#clock.now();
    this.#say(type, { key, attributes: { resource: allocation.resource, ...more } });
  }

  /** @param {Allocation} allocation */
  #lose(allocation) {
    const kept = this.#kept.get(allocation.key);
    this.#forget(allocation.key);
    kept?.wish.onLost?.(allocation);
  }

  /** @param {string} key */
  #forget(key) {
    this.#kept.get(key)?.stop();
    this.#kept.delete(key);
    this.allocations.delete(key);
  }
}
