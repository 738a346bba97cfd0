// What a filter that blocks every event costs by itself, as more and more are blocked: publishing with it to 8 sinks, less publishing
// to no sink.
//
// The question is whether that grows, so all ages are measured at one time: a batch of each in turn, and one without a filter, over and
// over. Whatever the machine does meanwhile happens to all of them, and the median of a few hundred batches leaves out what happened to
// few. Measuring blocks events, too, and would make the young old: they get a few batches each, and there are many of them.
import { median } from "../driver/statistics.mjs";
import { BATCH_EVENTS, openSubject } from "./subject.mjs";

/** No event of the bench is as urgent as that. */
const BLOCKED = "priority > 7";
const SINKS = 8;
/** Events that were blocked before one looks. */
export const BLOCKED_COUNTS = Object.freeze([1_000, 100_000, 1_000_000]);
/** How many of the youngest follow each other, and batches with each: at the end of these it has blocked less than ten times as many. */
const YOUNG = 16;
const BATCHES_EACH = 20;

/** @typedef {import('./subject.mjs').Subject} Subject */

/**
 * Measures one stage.
 *
 * @param {() => import('../core/rig.mjs').Rig} make
 * @param {'out' | 'in'} stage
 * @param {number} steps How many of BLOCKED_COUNTS.
 * @returns {[count: number, ns: number][]} Per event, on the wall's clock: a batch takes less than the clock of CPU time can tell.
 * @throws {Error} Where an event gets through.
 */
export function blockedCosts(make, stage, steps) {
  const counts = BLOCKED_COUNTS.slice(0, steps);
  const [youngest = 0, ...older] = counts;
  const plain = openSubject(make(), { sinks: 0 });
  const old = older.map((count) => blockedSubject(make, stage, count));
  /** @type {number[][]} */
  const samples = [[], ...counts.map(() => [])];
  for (let young = 0; young < YOUNG; young++) {
    const subjects = [plain, blockedSubject(make, stage, youngest), ...old];
    for (let batch = 0; batch < BATCHES_EACH; batch++) {
      for (let turn = 0; turn < subjects.length; turn++) {
        // Nobody always comes behind the same other, whose memory it finds in the caches.
        const which = batch % 2 === 0 ? turn : subjects.length - 1 - turn;
        const subject = /** @type {Subject} */ (subjects[which]);
        const before = performance.now();
        subject.publish();
        samples[which]?.push(((performance.now() - before) * 1e6) / BATCH_EVENTS);
      }
    }
    if (subjects.some((subject) => subject.delivered() > 0)) throw new Error("The filter lets events through");
  }
  const [without = Number.NaN, ...costs] = samples.map(median);
  return counts.map((count, index) => [count, Number(costs[index]) - without]);
}

/** A channel whose filter has blocked so many. @param {() => import('../core/rig.mjs').Rig} make @param {'out' | 'in'} stage @param {number} count */
function blockedSubject(make, stage, count) {
  const subject = openSubject(make(), { sinks: SINKS, stage, route: (rig) => ({ where: rig.program(BLOCKED) }) });
  for (let blocked = 0; blocked < count; blocked += BATCH_EVENTS) subject.publish();
  return subject;
}
