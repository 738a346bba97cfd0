/**
 * Receipts: which id a publisher is told, on every carrier.
 */
import { expect, test } from "vitest";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

test.each(carriers)("%s: a receipt tells the ids that were given, several and twice of one size", async (carrier) => {
  const host = await startHost();
  const source = await connectTo(host, carrier);
  for (let round = 0; round < 3; round++) {
    const given = [`order-${round}-a`, `order-${round}-b`, `ü-${round}`];
    const results = await source.publish("c", ...given.map((id) => ({ type: "t", id })));
    expect(results.map(({ id }) => id)).toEqual(given);
  }
});

test.each(carriers)(
  "%s: an event without an id has the derived one, which binary clients derive themselves",
  async (carrier) => {
    const host = await startHost();
    const source = await connectTo(host, carrier);
    const [result] = await source.publish("c", { type: "t" });
    expect(result.sequence).toBe(1);
    if (carrier === "ws-json") expect(result.id).toBe(`${host.service.hostId}-1-1-1`);
    else expect(result.id ?? "").toBe("");
  },
);
