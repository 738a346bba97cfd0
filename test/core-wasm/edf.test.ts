/**
 * Earliest deadline first is optimal: wherever any schedule keeps all deadlines of events that take one slot each, so does an inbox
 * ordered by `deadline`. The other schedules are found by trying all of them.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { propertyParameters, timeoutMs } from "../property/runs.ts";
import { Harness } from "./harness.ts";

const START = 1_700_000_000_000;
const BYTES_MAX = 16 * 1024 * 1024;

interface Job {
  /** The slot in which it comes, and the last one in which it may be begun. */
  readonly release: number;
  readonly deadline: number;
}

/** Whether each job can have a slot of its own in time. */
function isFeasible(jobs: readonly Job[], taken: ReadonlySet<number> = new Set()): boolean {
  const [job, ...rest] = jobs;
  if (job === undefined) return true;
  for (let slot = job.release; slot <= job.deadline; slot++) {
    if (!taken.has(slot) && isFeasible(rest, new Set([...taken, slot]))) return true;
  }
  return false;
}

/** Deadlines that the inbox misses, as its sink is told. */
function missedBy(jobs: readonly Job[]): number {
  const harness = Harness.create({ now: START });
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  sink.inbox(100, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_DEADLINE);
  // The first credit of a session is used up at once, so that from here on one event leaves in a slot.
  sink.credit(1, BYTES_MAX);
  source.publish(channel, [{ type: "first" }]);
  sink.drain();
  let missed = 0;
  for (let slot = 0; slot < 20; slot++) {
    harness.now = START + slot;
    const come = jobs.filter(({ release }) => release === slot);
    const events = come.map(({ deadline }) => ({ type: "t", deliverByUs: BigInt(START + deadline) * 1000n }));
    if (events.length > 0) source.publish(channel, events);
    if (harness.core.inboxEvents(sink.id) === 0) continue;
    // What is not begun in this slot waits for the next one.
    sink.credit(1, BYTES_MAX);
    missed += sink.drain().frames.filter(({ kind }) => kind.case === "missed").length;
  }
  expect(harness.core.inboxEvents(sink.id)).toBe(0);
  return missed;
}

test(
  "what any schedule can keep, earliest deadline first keeps",
  () => {
    const job = fc
      .record({ release: fc.nat(5), slack: fc.nat(4) })
      .map(({ release, slack }) => ({ release, deadline: release + slack }));
    let feasible = 0;
    fc.assert(
      fc.property(fc.array(job, { minLength: 1, maxLength: 6 }), (jobs) => {
        const possible = isFeasible(jobs);
        if (possible) feasible++;
        expect(missedBy(jobs) === 0).toBe(possible);
      }),
      propertyParameters(150),
    );
    // A property that hardly ever had anything to keep would say nothing.
    expect(feasible).toBeGreaterThan(0);
  },
  timeoutMs(60_000),
);
