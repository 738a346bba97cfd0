/**
 * A resource manager (KECho, Fig. 4): for one resource or for all of a host, as its list of resources says.
 *
 * It knows a channel and a name of its own, and nothing about other managers: not how many there are nor where. What it keeps of
 * them is what they have said of their resources, until they fall silent.
 */
import { CHANNEL, concerns, defaultTimes } from "./protocol.mjs";
import { Provider } from "./provider.mjs";
import { Requester } from "./requester.mjs";

/**
 * @typedef {(type: string, event: { key?: string, to?: string, attributes?: import("../lib/session.mjs").Attributes }) => void} Say
 *
 * @typedef {object} ManagerOptions
 * @property {string} name Its own, as no other's.
 * @property {readonly import("./ledger.mjs").Resource[]} [resources]
 * @property {string} [location] Where they are.
 * @property {import("../lib/session.mjs").Session} session
 * @property {import("../lib/clock.mjs").Clock} clock
 * @property {Partial<import("./protocol.mjs").Times>} [times]
 * @property {(resource: string) => void} [onLost] `resourceLost`: a resource that was announced has fallen silent, or was withdrawn.
 * @property {() => void} [onJoined]
 */

/** A manager. */
export class Manager {
  provider;
  requester;
  /** What is there, its own included: the latest announcement of each resource. @type {Map<string, { kind: string, free: number, location: string }>} */
  known = new Map();
  #session;
  #clock;
  #times;
  #onLost;
  /** By resource: ends its silence. @type {Map<string, () => void>} */
  #silences = new Map();
  #stopAnnouncing = () => {};
  #isOver = false;

  /** @param {ManagerOptions} options */
  constructor({ name, resources = [], location = name, session, clock, times, onLost, onJoined }) {
    this.#session = session;
    this.#clock = clock;
    this.#times = { ...defaultTimes, ...times };
    this.#onLost = onLost;
    const membership = session.join({
      channel: CHANNEL,
      role: "both",
      where: concerns(name),
      onEvent: (event) => {
        if (!this.#isOver) this.#hear(event);
      },
      onJoined: () => {
        if (!this.#isOver) this.#announce();
        onJoined?.();
      },
    });
    /** @type {Say} */
    const say = (type, { key, to, attributes }) =>
      membership.publish({
        type,
        source: name,
        ...(key === undefined ? {} : { key }),
        attributes: { .../** @type {Record<string, string>} */ (attributes), ...(to === undefined ? {} : { to }) },
      });
    this.provider = new Provider(resources, location, say, clock, this.#times);
    this.requester = new Requester(name, location, say, clock, this.#times);
  }

  /** Goes in order. */
  leave() {
    this.provider.leave();
    for (const key of [...this.requester.allocations.keys()]) this.requester.release(key);
    this.requester.stop();
    this.#stop();
  }

  /** Is gone without a word, as a process that is killed. */
  kill() {
    this.provider.stop();
    this.requester.stop();
    this.#stop();
    this.close();
  }

  /** Ends its session. */
  close() {
    this.#session.close();
  }

  #stop() {
    this.#isOver = true;
    this.#stopAnnouncing();
    for (const stop of this.#silences.values()) stop();
  }

  #announce() {
    this.provider.announce();
    this.#stopAnnouncing = this.#clock.setTimer(() => this.#announce(), this.#times.announceMs);
  }

  /** @param {import("../lib/session.mjs").ReceivedEvent} event */
  #hear({ type, key = "", source, attributes = {} }) {
    const resource = String(attributes["resource"]);
    const amount = Number(attributes["amount"]);
    const { provider, requester } = this;
    if (type === "announced") this.#heardOf(resource, attributes);
    else if (type === "withdrawn") this.#lose(resource);
    else if (type === "wanted") provider.wanted(key, source, String(attributes["kind"]), amount);
    else if (type === "accepted") provider.accepted(key, resource);
    else if (type === "renewed") provider.renewed(key, source, resource);
    else if (type === "changed") provider.changed(key, source, resource, amount);
    else if (type === "released") provider.release(key);
    else if (type === "offered")
      requester.offered(key, { resource, location: String(attributes["location"]), free: Number(attributes["free"]) });
    else if (type === "granted") requester.granted(key, resource, amount);
    else if (type === "denied") requester.denied(key);
  }

  /** @param {string} resource @param {Readonly<Record<string, boolean | number | string>>} attributes */
  #heardOf(resource, attributes) {
    const { kind, free, location } = attributes;
    this.known.set(resource, { kind: String(kind), free: Number(free), location: String(location) });
    this.#silences.get(resource)?.();
    this.#silences.set(
      resource,
      this.#clock.setTimer(() => this.#lose(resource), this.#times.lossMs),
    );
  }

  /** @param {string} resource */
  #lose(resource) {
    if (!this.known.delete(resource)) return;
    this.#silences.get(resource)?.();
    this.#silences.delete(resource);
    this.requester.lost(resource);
    this.#onLost?.(resource);
  }
}
