/**
 * A session in JSON frames over any carrier: what a small client library does, in a page.
 *
 * @typedef {import("sluice").EventInput} EventInput
 * @typedef {import("sluice").ReceivedEvent} ReceivedEvent
 * @typedef {Record<string, boolean | number | string | null>} Attributes
 *
 * @typedef {object} Membership
 * @property {(event: EventInput) => void} publish Without waiting for a receipt.
 * @property {(attributes: Attributes) => void} update Changes live attributes; null takes one away.
 * @property {(key: string, at: number, onAnswer: (stands: boolean) => void) => void} cancel Withdraws what others have of a key;
 *   `at`, in ms since 1970, is when we began with it ourselves. It does not stand where another member was first.
 * @property {() => string} member As the host calls it, "m3"; empty while the host has not answered.
 *
 * @typedef {object} JoinOptions
 * @property {string} channel
 * @property {"sink" | "source" | "both"} [role]
 * @property {Attributes} [attributes]
 * @property {string[]} [types]
 * @property {string} [where]
 * @property {(event: ReceivedEvent) => void} [onEvent]
 * @property {(member: string) => void} [onJoined]
 *
 * @typedef {{ ordering?: string, capacityEvents?: number, capacityBytes?: number, overflow?: string, serviceMs?: number }} InboxSettings
 */

/**
 * A frame of the host, as far as it concerns these examples.
 *
 * @typedef {{
 *   joined?: { ref: number, member: string, channel: string },
 *   deliver?: { events: { channel: string, event: ReceivedEvent }[] },
 *   problem?: { ref?: number, code: string, detail: string },
 *   receipt?: { ref: number },
 *   dropped?: { channel: string, count: number, reason: string },
 * }} HostFrame
 */

/** One connection to a host. */
export class Session {
  /** @type {import("./memory-socket.mjs").Socket} */
  #socket;
  #ref = 0;
  /** By ref, until the host has answered. @type {Map<number, (member: string) => void>} */
  #joining = new Map();
  /** The same. @type {Map<number, (stands: boolean) => void>} */
  #cancelling = new Map();
  /** By channel: a session of these examples joins one at most once. @type {Map<string, (event: ReceivedEvent) => void>} */
  #handlers = new Map();
  /** Refusals: an example that is refused something is wrong. @type {(detail: string) => void} */
  onProblem;
  /** What had to give way before it was delivered. @type {(channel: string, count: number, reason: string) => void} */
  onDropped = () => {};

  /**
   * @param {import("./memory-socket.mjs").Socket} socket
   * @param {(detail: string) => void} onProblem
   */
  constructor(socket, onProblem) {
    this.#socket = socket;
    this.onProblem = onProblem;
    socket.onMessage = (text) => this.#hear(JSON.parse(text));
  }

  /**
   * Joins a channel. What is said before the host has answered waits for the answer.
   *
   * @param {JoinOptions} options
   * @returns {Membership}
   */
  join({ onEvent, onJoined, ...join }) {
    const { channel } = join;
    const ref = ++this.#ref;
    let member = "";
    /** @type {Attributes | undefined} */
    let waiting;
    this.#joining.set(ref, (given) => {
      member = given;
      if (waiting !== undefined) this.#say({ update: { member, attributes: waiting } });
      onJoined?.(given);
    });
    if (onEvent !== undefined) this.#handlers.set(channel, onEvent);
    this.#say({ ref, join });
    return {
      member: () => member,
      publish: (event) => this.#say({ publish: { channel, events: [event] } }),
      update: (attributes) => {
        // Only the member's number is missing: of updates the last one counts.
        if (member === "") waiting = { ...waiting, ...attributes };
        else this.#say({ update: { member, attributes } });
      },
      cancel: (key, at, onAnswer) => {
        const cancelRef = ++this.#ref;
        this.#cancelling.set(cancelRef, onAnswer);
        this.#say({ ref: cancelRef, cancel: { channel, key, at: momentFrom(at) } });
      },
    };
  }

  /** How what waits for this session is ordered and bounded. @param {InboxSettings} settings What is absent stays. */
  inbox(settings) {
    this.#say({ inbox: settings });
  }

  /** Lets the host send more; after the first time it sends no more than this. @param {number} events */
  credit(events) {
    this.#say({ credit: { events } });
  }

  /** Tells the host values of conditions. @param {Readonly<Record<string, number>>} values */
  set(values) {
    this.#say({ set: { values } });
  }

  close() {
    this.#socket.close();
  }

  /** @param {object} frame */
  #say(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  /** @param {HostFrame} frame */
  #hear({ joined, deliver, problem, receipt, dropped }) {
    if (joined !== undefined) {
      this.#joining.get(joined.ref)?.(joined.member);
      this.#joining.delete(joined.ref);
    }
    for (const { channel, event } of deliver?.events ?? []) this.#handlers.get(channel)?.(event);
    if (dropped !== undefined) this.onDropped(dropped.channel, dropped.count, dropped.reason);
    const answered = receipt ?? problem;
    const onAnswer = this.#cancelling.get(answered?.ref ?? 0);
    if (onAnswer !== undefined) {
      this.#cancelling.delete(answered?.ref ?? 0);
      onAnswer(problem === undefined);
    } else if (problem !== undefined) this.onProblem(problem.detail);
  }
}

/** RFC 3339 with microseconds: who began first is often a matter of them. @param {number} ms Since 1970, with fractions. */
function momentFrom(ms) {
  const micros = Math.round(ms * 1000);
  const rest = String(micros % 1_000_000).padStart(6, "0");
  return new Date(Math.floor(micros / 1_000_000) * 1000).toISOString().replace(/\.\d+Z$/, `.${rest}Z`);
}
