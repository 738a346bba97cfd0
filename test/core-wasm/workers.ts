/** Workers that share a channel, for tests of cancels. */
import { expect } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { Harness } from "./harness.ts";

/** A requester and workers that have drained nothing yet, on a channel. */
export function workers(count: number, flags: number = abi.CHANNEL_ECHO) {
  const harness = Harness.create();
  const channel = harness.channel("work", { flags });
  const requester = harness.open(abi.CONNECTION_STREAM, "/requester");
  harness.source(requester, channel);
  const open = (name: string) => {
    const worker = harness.open(abi.CONNECTION_STREAM, name);
    harness.sink(worker, channel);
    return worker;
  };
  const all = Array.from({ length: count }, (_, index) => open(`/worker/${index}`));
  const ask = (key = "k", timeUs?: bigint) =>
    requester.publish(channel, [{ type: "request", key, ...(timeUs === undefined ? {} : { timeUs }) }]);
  const cancel = (who: TestConnection, key = "k", atUs?: bigint) => {
    const value = { channelNumber: channel, key, ...(atUs === undefined ? {} : { atUs }) };
    const [outcome, ...rest] = who.send({ ref: 3, kind: { case: "cancel", value } });
    expect(rest).toEqual([]);
    return outcome;
  };
  return { harness, channel, requester, workers: all as [TestConnection, ...TestConnection[]], open, ask, cancel };
}

/** A cancel with ref that was carried out. */
export const done = (withdrawn: number, forwarded: number) => ({ reason: "cancelled", ref: 3, withdrawn, forwarded });
/** One that came too late. */
export const lost = { reason: "problem", ref: 3, status: abi.STATUS_CANCELLED };
/** The service clock. */
export const nowUs = (harness: Harness) => BigInt(harness.now * 1000);
/** What a sink was delivered: type, key and source. */
export const got = (worker: TestConnection) =>
  worker.events().map(({ type, key, source }) => `${type} ${key} ${source}`);
