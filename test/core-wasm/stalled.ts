/** A store of few slabs, events that can be told from one another, sinks that stall: for the tests of the store. */
import { expect } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { Harness } from "./harness.ts";

/** The smallest store. */
export const SLABS = 4;
/** Its bytes. */
export const STORE_BYTES = SLABS * abi.SLAB_BYTES;

/** Bytes that can be told from those of any other event. */
export function data(id: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let state = (id + 1) * 2654435761;
  for (let index = 0; index < bytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[index] = state >>> 24;
  }
  return out;
}

/** Compares the data of an event with that of its id. Returns the id. */
export function check(event: { id: string; data?: Uint8Array | undefined }): number {
  const id = Number(event.id);
  expect(Buffer.compare(event.data ?? new Uint8Array(0), data(id, event.data?.length ?? 0)), `event ${id}`).toBe(0);
  return id;
}

/** One source, one live sink, and as many stalled ones as wanted. */
export function store(options: Parameters<typeof Harness.create>[0] = {}) {
  const harness = Harness.create({ storeBytes: STORE_BYTES, ...options });
  const channel = harness.channel("c");
  const [source, live] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(live, channel);
  const stalled = (types?: readonly string[]): TestConnection => {
    const connection = harness.open();
    harness.sink(connection, channel, types);
    return connection;
  };
  return { harness, channel, source, live, stalled };
}
