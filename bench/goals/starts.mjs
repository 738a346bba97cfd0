// Goals of a start: nobody waits for it.
import { plain, ratio } from "./kinds.mjs";

/** @type {readonly import('./kinds.mjs').Goal[]} */
export const startGoals = Object.freeze([
  ratio("start-node", "process start to ready ÷ node -e 0", "start/sluice", "start/node", 10, 5, "ms"),
  {
    id: "start",
    title: "process start to ready",
    floor: 400,
    aim: 250,
    unit: "ms",
    samples: plain("start/sluice", "ms", 1),
  },
]);
