// What must hold and what we aim at.
import { median } from "./driver/statistics.mjs";
import { brokerGoals } from "./goals/brokers.mjs";
import { contractGoals } from "./goals/contracts.mjs";
import { filterGoals } from "./goals/filters.mjs";
import { mailboxGoals } from "./goals/mailboxes.mjs";
import { matchingGoals } from "./goals/matching.mjs";
import { routeGoals } from "./goals/routes.mjs";
import { startGoals } from "./goals/starts.mjs";

/** @typedef {import('./goals/kinds.mjs').Row} Row @typedef {import('./goals/kinds.mjs').Goal} Goal */

/** All goals, in the order of the page. @type {readonly Goal[]} */
export const goals = Object.freeze([
  ...brokerGoals,
  ...matchingGoals,
  ...routeGoals,
  ...contractGoals,
  ...mailboxGoals,
  ...filterGoals,
  ...startGoals,
]);

/**
 * @typedef {{ id: string, title: string, unit: string, floor: number, aim: number, value: number | null, low: number | null,
 *   high: number | null, verdict: 'aim' | 'floor' | 'missed' | 'not run' }} Verdict
 */

/**
 * Holds measured rows against the goals.
 *
 * @param {readonly Row[]} rows
 * @param {readonly Goal[]} [wanted]
 * @returns {Verdict[]} With the median and the extremes of the samples; null where a goal was not measured.
 */
export function judge(rows, wanted = goals) {
  return wanted.map(({ id, title, unit, floor, aim, samples }) => {
    const found = samples(rows).filter(Number.isFinite);
    if (found.length === 0)
      return { id, title, unit, floor, aim, value: null, low: null, high: null, verdict: "not run" };
    const value = median(found);
    const verdict = value <= aim ? "aim" : value <= floor ? "floor" : "missed";
    return { id, title, unit, floor, aim, value, low: Math.min(...found), high: Math.max(...found), verdict };
  });
}
