import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { coreModule, createInstance, Harness } from "./harness.ts";
import { Words } from "./outcome.ts";

test("the release core has no imports", () => {
  if (process.env["SLUICE_TEST_CORE"] !== "debug") expect(WebAssembly.Module.imports(coreModule())).toEqual([]);
});

test("abiVersion() is ABI_VERSION", () => {
  expect(createInstance().abiVersion()).toBe(abi.ABI_VERSION);
});

test("coreInit() refuses a memory that does not hold regions and store, and says how much it needs", () => {
  const core = createInstance();
  const storeBytes = 64 * 1024 * 1024;
  expect(core.coreInit(storeBytes, 1)).toBe(abi.STATUS_MEMORY);
  const needed = new Words(core.memory).at(abi.RESULT_OFFSET, abi.RESULT_LIMIT);
  expect(needed).toBeGreaterThan(abi.REGIONS_END + storeBytes);
  expect(needed).toBeLessThan(abi.REGIONS_END + storeBytes * 2);
});

test("coreInit() accepts exactly the memory that it asked for", () => {
  const refused = createInstance();
  refused.coreInit(4 * abi.SLAB_BYTES, 1);
  const needed = new Words(refused.memory).at(abi.RESULT_OFFSET, abi.RESULT_LIMIT);
  const core = createInstance();
  const missing = Math.ceil((needed - core.memory.buffer.byteLength) / abi.PAGE_BYTES);
  if (missing > 0) core.memory.grow(missing);
  expect(core.coreInit(4 * abi.SLAB_BYTES, 1)).toBe(abi.STATUS_OK);
});

test("coreInit() refuses a store of fewer than four slabs", () => {
  const core = createInstance();
  core.memory.grow(1024);
  expect(core.coreInit(4 * abi.SLAB_BYTES - 1, 1)).toBe(abi.STATUS_MEMORY);
});

test("a fresh core has no connections, channels, members, slabs in use or counts", () => {
  const harness = Harness.create();
  const zero = [
    abi.STATISTIC_EVENTS_IN,
    abi.STATISTIC_BYTES_IN,
    abi.STATISTIC_DELIVERIES,
    abi.STATISTIC_BYTES_OUT,
    abi.STATISTIC_REFUSED,
    abi.STATISTIC_EVACUATED_BYTES,
    abi.STATISTIC_CONNECTIONS,
    abi.STATISTIC_CHANNELS,
    abi.STATISTIC_MEMBERS,
    abi.STATISTIC_PARKED,
  ];
  expect(zero.map((index) => harness.statistic(index))).toEqual(zero.map(() => 0));
  expect(harness.statistic(abi.STATISTIC_PAGES)).toBeGreaterThan(0);
  expect(harness.dirty()).toEqual([]);
});

test("no call grows the memory", () => {
  const harness = Harness.create();
  const before = harness.core.memory.buffer.byteLength;
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  for (let turn = 0; turn < 200; turn++) source.publish(channel, [{ type: "t", data: new Uint8Array(50_000) }]);
  expect(harness.core.memory.buffer.byteLength).toBe(before);
  expect(harness.memory.byteLength).toBe(before);
});

test("connectionOpen() gives ids from 1 and statistics count them", () => {
  const harness = Harness.create();
  expect(harness.open().id).toBe(1);
  expect(harness.open().id).toBe(2);
  expect(harness.statistic(abi.STATISTIC_CONNECTIONS)).toBe(2);
});

test("channelAdd() gives numbers from 1, and 0 for a name that exists", () => {
  const harness = Harness.create();
  expect(harness.channel("a")).toBe(1);
  expect(harness.channel("b")).toBe(2);
  const bytes = harness.stage(new TextEncoder().encode("a"));
  expect(harness.core.channelAdd(abi.STAGE_OFFSET, bytes, 0)).toBe(0);
  expect(harness.statistic(abi.STATISTIC_CHANNELS)).toBe(2);
});

test("calls about unknown numbers give a status or 0 and change nothing", () => {
  const harness = Harness.create();
  const { core } = harness;
  expect(core.channelRemove(7)).toBe(abi.STATUS_CHANNEL_UNKNOWN);
  expect(core.channelSet(7, 0, 4, 0)).toBe(abi.STATUS_CHANNEL_UNKNOWN);
  expect(core.channelTypes(7, abi.STAGE_OFFSET, 0)).toBe(abi.STATUS_CHANNEL_UNKNOWN);
  expect(core.memberTypes(7, abi.STAGE_OFFSET, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
  const connection = harness.open();
  expect(core.memberRemove(connection.id, 7)).toBe(abi.STATUS_MEMBER_UNKNOWN);
  expect(core.memberAdd(connection.id, 7, abi.ROLE_SINK)).toBe(0);
  expect(harness.result(abi.RESULT_STATUS)).toBe(abi.STATUS_CHANNEL_UNKNOWN);
  expect(core.channelSequence(7)).toBe(0);
  expect(core.channelSinks(7)).toBe(0);
  expect(core.channelSources(7)).toBe(0);
  expect(harness.statistic(abi.STATISTIC_MEMBERS)).toBe(0);
});
