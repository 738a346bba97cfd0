/**
 * What is counted of a module, against a script of which every call is known: the same numbers with the module, in the metrics, and on
 * the command line.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ConformanceHost, startOn } from "../../../conformance/process.ts";
import { targets } from "../../../conformance/targets.ts";
import { run } from "../../cli/sluice.ts";
import { connectTo } from "../../support/client.ts";
import { binaryOf, moduleText } from "./kit.ts";

const SINKS = 3;
/** What an event asks for, by its priority; 4 is for events that ask for nothing, as in a dry run. */
const [DROP, ALL, ONE, TRAP, NONSENSE, NEGATIVE, LOOP] = [0, 1, 2, 3, 5, 6, 7];

const PRIORITY = "(i32.load8_u offset=6 (local.get $record))";
const is = (priority: number): string => `(i32.eq ${PRIORITY} (i32.const ${priority}))`;
const text = moduleText({
  word: `(block (result i32)
    (if ${is(TRAP)} (then unreachable))
    (if ${is(LOOP)} (then (loop $forever (br $forever))))
    (if ${is(NEGATIVE)} (then (global.set $refuses (i32.const 1))))
    (if ${is(ONE)} (then
      (call $log (i32.const 1) (i32.const 100) (i32.const 3))
      (i32.store offset=4 (local.get $out) (i32.const 1))
      (i32.store offset=8 (local.get $out) (i32.const 2))))
    (select (i32.const -1) (select (i32.const 3) (i32.and ${PRIORITY} (i32.const 1)) ${is(ONE)}) ${is(NONSENSE)}))`,
  answer: "(if (global.get $refuses) (then (return (i32.const -7)))) (local.get $cap)",
  more: `(import "sluice" "log" (func $log (param i32 i32 i32)))
    (global $refuses (mut i32) (i32.const 0))
    (data (i32.const 100) "one")`,
});

let host: ConformanceHost;
beforeAll(async () => {
  host = await startOn(targets.node);
});
afterAll(() => host.stop());

const at = (path: string): string => `${host.url}/v1/${path}`;
const upload = (bytes: Uint8Array): Promise<Response> =>
  fetch(at("filters/script"), {
    method: "PUT",
    headers: { "content-type": "application/wasm" },
    body: Uint8Array.from(bytes),
  });
const ask = (method: string, path: string, body: object): Promise<Response> =>
  fetch(at(path), { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** What the module's resource shows. */
const counters = async (): Promise<Record<string, number> & { faults: Record<string, number> }> =>
  (await (await fetch(at("filters/script"))).json()).counters;

test("every call, event, sink and fault is counted once", async () => {
  await upload(binaryOf(text));
  await ask("PUT", "channels/c", {});
  await ask("PUT", "channels/c/filters/out", { module: "script" });
  const sinks = await Promise.all(Array.from({ length: SINKS }, () => connectTo(host, "tcp")));
  for (const sink of sinks) await sink.join("c");
  const source = await connectTo(host, "tcp");
  const publish = (...priorities: number[]): Promise<unknown> =>
    source.publish("c", ...priorities.map((priority) => ({ type: "t", priority })));

  const noFaults = Object.fromEntries(Object.keys((await counters()).faults).map((cause) => [cause, 0]));
  expect(await counters()).toMatchObject({ calls: 0, events: 0, ns: 0, instances: 1, live: 1, faults: noFaults });

  for (let event = 0; event < 3; event++) await publish(DROP);
  expect(await counters()).toMatchObject({ calls: 3, events: 3, sinksIn: 9, sinksOut: 0 });
  await publish(ALL);
  await publish(ONE);
  expect(await counters()).toMatchObject({ calls: 5, events: 5, sinksIn: 15, sinksOut: 4, logLines: 1 });
  await publish(...Array(10).fill(ALL));
  expect(await counters()).toMatchObject({ calls: 6, events: 15, sinksIn: 45, sinksOut: 34, failed: 0 });

  // The same call takes the same fuel, and time passes in each.
  const fuelOf = async (...priorities: number[]): Promise<number> => {
    const before = await counters();
    await publish(...priorities);
    const after = await counters();
    expect(after["ns"]).toBeGreaterThan(before["ns"] as number);
    return (after["fuel"] as number) - (before["fuel"] as number);
  };
  const [one, again, ten] = [await fuelOf(ALL), await fuelOf(ALL), await fuelOf(...Array(10).fill(ALL))];
  expect(one).toBe(again);
  expect(one).toBeGreaterThan(0);
  expect(ten).toBeGreaterThan(one);
  expect(ten).toBeLessThan(10 * one);
  expect(await counters()).toMatchObject({ calls: 9, events: 27, sinksIn: 81, sinksOut: 70 });

  // One fault each, with a call between them that goes well: what was decided before counts, what comes after is called again.
  await publish(ALL, TRAP, ALL);
  await publish(ALL);
  await publish(LOOP);
  await publish(ALL);
  expect(await counters()).toMatchObject({
    calls: 14,
    events: 27 + 4 + 3,
    sinksIn: 81 + 18,
    failed: 2,
    skipped: 0,
    instances: 3,
    faults: { ...noFaults, trap: 1, fuel: 1 },
  });
  // What `onError` lets pass the module did not choose.
  expect(await counters()).toMatchObject({ sinksOut: 70 + 12 });
  await publish(NONSENSE);
  await publish(ALL);
  await publish(NEGATIVE);
  await publish(ALL);
  expect(await counters()).toMatchObject({ calls: 18, openings: 0, instances: 5 });
  // The fifth within a minute: the rest of its batch is let alone.
  await publish(TRAP, ALL, ALL);
  const faults = { ...noFaults, trap: 2, fuel: 1, "bad-output": 1, negative: 1 };
  const last = await counters();
  expect(last).toMatchObject({ calls: 19, failed: 4, skipped: 2, throttled: 0, openings: 1, live: 0, faults });
  // An answer that is negative came too late: its event had been decided.
  expect(last).toMatchObject({ events: 41, sinksIn: 81 + 18 + 12 + 9, sinksOut: 82 + 6, logDropped: 0 });

  await upload(binaryOf(moduleText()));
  expect(await counters()).toMatchObject({ switches: 1, rollbacks: 0, live: 1, memoryBytes: 3 * 65_536 });

  const metrics = await (await fetch(`${host.url}/metrics`)).text();
  const now = await counters();
  const told = (name: string, labels: string): number =>
    Number(new RegExp(`^sluice_module_${name}\\{${labels}\\} (\\S+)$`, "m").exec(metrics)?.[1] ?? Number.NaN);
  const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const { faults: causes, live, memoryBytes, ...rising } = now;
  for (const [name, value] of Object.entries(rising))
    expect([name, told(`${snake(name)}_total`, 'filter="script"')]).toEqual([name, value]);
  for (const [name, value] of Object.entries({ live, memoryBytes }))
    expect([name, told(snake(name), 'filter="script"')]).toEqual([name, value]);
  for (const [cause, value] of Object.entries(causes))
    expect([cause, told("faults_total", `filter="script",cause="${cause}"`)]).toEqual([cause, value]);

  const shown = await run(["filter", "show", "script"], { env: { SLUICE_URL: host.url, COLUMNS: "100" } });
  expect(shown.stdout).toMatch(/ events +41 in 19 calls\n/);
  expect(shown.stdout).toMatch(/ sinks +120 candidates, 88 chosen\n/);
  expect(shown.stdout).toMatch(/ per event +[\d,.]+ ns, [\d,.]+ fuel\n/);
  for (const cause of ["2 trap", "1 fuel", "1 bad-output", "1 negative"]) expect(shown.stdout).toContain(cause);
  expect(shown.stdout).toMatch(/ undecided +6 events: 4 it failed on, 2 while let alone, 0 over its budget\n/);
  expect(shown.stdout).toMatch(/ memory +192 KiB in 1 instance\n/);
});
