/** Workers that are late, fail, or answer when nobody asks any more. */
import { describe, expect, test } from "vitest";
import { createManualClock } from "../../../../host/clock.ts";
import type { AdmissionAnswer } from "../../../../host/filter/registry/admit.ts";
import { createAdmitter, type StartWorker } from "../../../../host/filter/registry/admitter.ts";
import { limits } from "../../../../host/limits.ts";
import { moduleWith } from "./modules.ts";

/** A worker that a test plays. */
interface Played {
  readonly asked: number[];
  answer(answer: AdmissionAnswer): void;
  fail(why: string): void;
  terminated: boolean;
}

function createPlayed() {
  const clock = createManualClock();
  const workers: Played[] = [];
  const start: StartWorker = (answer, fail) => {
    const played: Played = { asked: [], answer, fail, terminated: false };
    workers.push(played);
    return {
      post: ({ bytes }) => void played.asked.push(bytes.length),
      terminate() {
        played.terminated = true;
      },
    };
  };
  const admit = createAdmitter(start, clock);
  return {
    clock,
    workers,
    /** Asks for a module of so many bytes; resolves with the reasons of its refusal, or "admitted". */
    ask: (bytes: number) =>
      admit(new Uint8Array(bytes)).then(
        () => "admitted",
        (error: { code: string; reasons?: readonly string[] }) => error.reasons ?? error.code,
      ),
  };
}

const fine = { admitted: {} } as AdmissionAnswer;

describe("createAdmitter()", () => {
  test("has one module looked at after the other, and ends the worker when none waits", async () => {
    const { workers, ask } = createPlayed();
    const asked = [ask(1), ask(2)];
    expect(workers[0]?.asked).toEqual([1]);
    workers[0]?.answer({ reasons: ["no"] });
    expect(await asked[0]).toEqual(["no"]);
    expect(workers[0]?.asked).toEqual([1, 2]);
    workers[0]?.answer(fine);
    expect(await asked[1]).toBe("admitted");
    expect([workers.length, workers[0]?.terminated]).toEqual([1, true]);
  });

  test("gives up a worker that is late, and does not hear it any more", async () => {
    const { workers, clock, ask } = createPlayed();
    const asked = [ask(1), ask(2)];
    clock.advance(limits.filterAdmissionMs, 10);
    expect(await asked[0]).toEqual([expect.stringContaining(String(limits.filterAdmissionMs))]);
    expect([workers.length, workers[0]?.terminated, workers[1]?.asked]).toEqual([2, true, [2]]);
    // It could not be stopped, and answers now; the answer is not the other module's.
    workers[0]?.answer(fine);
    workers[0]?.fail("it ended");
    workers[1]?.answer({ reasons: ["mine"] });
    expect(await asked[1]).toEqual(["mine"]);
    expect(clock.waiting).toBe(0);
  });

  test("refuses the module at which a worker fails, and goes on with another worker", async () => {
    const { workers, ask } = createPlayed();
    const asked = [ask(1), ask(2)];
    workers[0]?.fail("out of memory");
    expect(await asked[0]).toEqual(["out of memory"]);
    workers[1]?.answer(fine);
    expect(await asked[1]).toBe("admitted");
  });

  test("lets so many wait, and no more", async () => {
    const { workers, ask } = createPlayed();
    const asked = Array.from({ length: limits.filterAdmissions + 1 }, () => ask(1));
    expect(await ask(1)).toBe("rate_limited");
    for (const one of asked) {
      workers[0]?.answer(fine);
      expect(await one).toBe("admitted");
    }
  });

  test("tells what is wrong with the manifest and with the module together", async () => {
    const clock = createManualClock();
    const start: StartWorker = (answer) => ({ post: () => answer({ reasons: ["the module"] }), terminate() {} });
    const refused = await createAdmitter(
      start,
      clock,
    )(moduleWith({ manifest: { hooks: [] } })).catch((error: { reasons: readonly string[] }) => error.reasons);
    expect(refused).toEqual([expect.stringContaining("manifest.hooks"), "the module"]);
  });
});
