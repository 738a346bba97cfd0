/** What of one resource is given away, and to which key. It can never be more than there is. */

/** @typedef {{ name: string, kind: string, capacity: number }} Resource */

/** The account of one resource. */
export class Ledger {
  resource;
  #taken = 0;
  /** @type {Map<string, number>} */
  #byKey = new Map();

  /** @param {Resource} resource */
  constructor(resource) {
    this.resource = resource;
  }

  get free() {
    return this.resource.capacity - this.#taken;
  }

  /** What that key has; 0 for nothing. @param {string} key */
  amountOf(key) {
    return this.#byKey.get(key) ?? 0;
  }

  /**
   * Gives a key so much, instead of what it had; 0 takes everything back.
   *
   * @param {string} key
   * @param {number} amount
   * @returns {boolean} Whether there was enough; otherwise nothing has changed.
   */
  set(key, amount) {
    const taken = this.#taken - this.amountOf(key) + amount;
    if (!(amount >= 0) || taken > this.resource.capacity) return false;
    this.#taken = taken;
    if (amount === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, amount);
    return true;
  }
}
