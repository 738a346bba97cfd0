/**
 * What is measured, and the contract that governs by it.
 */

/** The channel that all cameras say their frames on. */
export const CHANNEL = "video";
/** From this lag on only key frames are sent, ms; and what must hold before all are sent again. */
export const lagMs = Object.freeze({ enter: 200, exit: 60 });
/** Frames per second that the viewer can take for sure. */
export const CALM_RATE = 180;

/** How often the host counts the frames, ms. */
const POLL_MS = 250;

/** Conditions: the rate is counted by the host, the lag is told by the viewer. @type {Readonly<Record<string, object>>} */
export const conditions = {
  rate: { kind: "channel", channel: CHANNEL, metric: "rate", pollMs: POLL_MS },
  lag: { kind: "value" },
};

/** @param {string} inbox Id of the viewer's. */
export function contractFor(inbox) {
  return {
    regions: [
      // Once in, it takes both to get out: a lag that is gone because of the sampling must not end the sampling.
      { name: "sampled", when: `lag > ${lagMs.enter}`, exit: `lag < ${lagMs.exit} AND rate < ${CALM_RATE}` },
      { name: "full" },
    ],
    transitions: [
      {
        from: "*",
        to: "sampled",
        do: [
          { bind: { channel: CHANNEL, stage: "out", routes: [{ when: "type = 'key'" }, { limit: 0 }] } },
          { configure: { channel: CHANNEL, patch: { delivery: { late: "drop" } } } },
          { configure: { inbox, patch: { ordering: "deadline" } } },
        ],
      },
      {
        from: "sampled",
        to: "full",
        do: [{ configure: { channel: CHANNEL, patch: null } }, { configure: { inbox, patch: null } }],
      },
    ],
  };
}
