/**
 * A plant that says more than its receiver can take: which streams there are, and what each of them needs.
 *
 * Every stream is a channel with a priority, and where its events have deadlines, with a window; how long one is worth something its
 * source says. Which of these rules counts the receiver chooses, by the ordering of its inbox.
 *
 * @typedef {object} StreamClass
 * @property {string} name
 * @property {string} about
 * @property {number} streams
 * @property {number} priority
 * @property {{ lose: number, of: number } | null} window What may be lost of so many in a row; null: no deadlines.
 *
 * @typedef {{ serviceMs: number, periodMs: number }} Pace `serviceMs`: what the receiver takes for one event, the way there and back
 *   included; `periodMs`: between two events of a stream.
 */

/** At a pace of 12 services per period these are 15 events with deadlines and 3 without: 150 % of what can be done. */
export const classes = Object.freeze(
  /** @type {readonly StreamClass[]} */ ([
    { name: "control", about: "none may be lost", streams: 3, priority: 9, window: { lose: 0, of: 1 } },
    { name: "sensors", about: "1 of 4 may be lost", streams: 8, priority: 5, window: { lose: 1, of: 4 } },
    { name: "video", about: "1 of 2 may be lost", streams: 4, priority: 2, window: { lose: 1, of: 2 } },
    { name: "log", about: "whenever there is time", streams: 3, priority: 0, window: null },
  ]),
);

/** The runs that are compared. */
export const orderings = Object.freeze(["fifo", "priority", "deadline", "window"]);

/** Virtual time, as a plant has it. @type {Readonly<Pace>} */
export const pace = Object.freeze({ serviceMs: 10, periodMs: 120 });

/** All streams, by channel. @returns {{ channel: string, of: StreamClass }[]} */
export function streamsOf() {
  return classes.flatMap((of) =>
    Array.from({ length: of.streams }, (_, index) => ({ channel: `plant.${of.name}-${index + 1}`, of })),
  );
}

/**
 * What a channel of a class is defined as.
 *
 * @param {StreamClass} of @param {number} periodMs
 * @returns {object} As PUT /v1/channels/{name} takes it.
 */
export function definitionOf({ priority, window }, periodMs) {
  if (window === null) return { delivery: { priority } };
  return { delivery: { priority, late: "drop", window: { ...window, periodMs } } };
}

/** What of the receiver's time all streams together would need. @param {Pace} given @returns {number} 1 is all of it. */
export function loadOf({ serviceMs, periodMs }) {
  return (streamsOf().length * serviceMs) / periodMs;
}
