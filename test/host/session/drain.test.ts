/**
 * Going away politely.
 */
import { describe, expect, test } from "vitest";
import { codes } from "../../../host/errors.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

describe("drain()", () => {
  test.each(carriers)(
    "%s: tells the session when to come back, sends what waits, closes with a code to reconnect",
    async (carrier) => {
      const host = await startHost({ drainRetryMs: 250 });
      const client = await connectTo(host, carrier);
      await client.join("c", { role: "both" });
      client.send({
        publish: { channel: "c", events: Array.from({ length: 500 }, (_, index) => ({ type: "t", data: index })) },
      });
      await client.received(1);
      const drained = host.service.drain();
      expect(await client.take("drain")).toMatchObject({ retryMs: 250 });
      expect(await client.received(500)).toHaveLength(500);
      const { code } = await client.closed;
      if (carrier !== "tcp") expect(code).toBe(codes.draining.close);
      await drained;
      expect(host.service.sessionCount).toBe(0);
    },
  );

  test("takes no new sessions meanwhile, and a second call does nothing", async () => {
    const host = await startHost({ drainMs: 50 });
    const held = await connectTo(host, "tcp");
    await held.join("c", { role: "both" });
    held.send({ ref: 1, inbox: { held: true } });
    await held.take("receipt", 1);
    await held.publish("c", { type: "t" });
    const drained = host.service.drain();
    expect(host.service.draining).toBe(true);
    const late = await connectTo(host, "tcp");
    expect(await late.take("problem")).toMatchObject({ code: "draining" });
    await expect(connectTo(host, "ws-json")).rejects.toThrow(/503/);
    await host.service.drain();
    // What is held is not waited for beyond the deadline.
    await drained;
    await held.closed;
    expect(held.events).toEqual([]);
  });
});
