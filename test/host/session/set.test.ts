/** A session that sets conditions. */
import { describe, expect, test, vi } from "vitest";
import { conditionFromJson } from "../../../host/condition/schema.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

describe("set", () => {
  test.each(carriers)("%s: changes conditions, all of them or none", async (carrier) => {
    const host = await startHost();
    const { conditions } = host.service;
    for (const [name, definition] of [
      ["load", { kind: "value" }],
      ["urgent", { kind: "value", type: "boolean" }],
      ["web.mode", { kind: "value", type: "string" }],
    ] as const)
      conditions.put(name, conditionFromJson(definition, name));
    const client = await connectTo(host, carrier);
    client.send({ ref: 1, set: { values: { load: 1, urgent: true, "web.mode": "eco" } } });
    await client.take("receipt", 1);
    expect(conditions.list().map(({ name }) => conditions.read(name).value)).toEqual([1, true, "eco"]);
    client.send({ ref: 2, set: { values: { load: 0.5, nothing: 1 } } });
    expect(await client.take("problem", 2)).toMatchObject({ code: "condition_unknown", value: "nothing" });
    client.send({ ref: 3, set: { values: { urgent: 1 } } });
    expect(await client.take("problem", 3)).toMatchObject({ code: "invalid_value" });
    expect(conditions.read("load").value).toBe(1);
  });

  test.each(carriers)("%s: sets and adds in one frame, all of it or nothing", async (carrier) => {
    const host = await startHost();
    const { conditions } = host.service;
    for (const kind of ["value", "counter", "window", "rate", "average", "quantile"])
      conditions.put(kind, conditionFromJson({ kind }, kind));
    const read = () => conditions.list().map(({ name }) => conditions.read(name).value);
    const client = await connectTo(host, carrier);
    const add = { counter: 2, window: 5, rate: 10, average: 40, quantile: 7.5 };
    client.send({ ref: 1, set: { values: { value: 3 }, add } });
    await client.take("receipt", 1);
    expect(read()).toEqual([3, 2, 5, 2, 40, 7.5]);
    client.send({ ref: 2, set: { add: { counter: -0.5, quantile: 9 } } });
    await client.take("receipt", 2);
    const after = [3, 1.5, 5, 2, 40, 9];
    expect(read()).toEqual(after);
    for (const [ref, set, code] of [
      [3, { values: { value: 4 }, add: { nothing: 1 } }, "condition_unknown"],
      [4, { values: { value: 4 }, add: { counter: 1, value: 1 } }, "contradiction"],
      [5, { add: { counter: 1, value: 1 } }, "invalid_value"],
      [6, { values: { value: 4 }, add: { counter: 1e300 } }, "invalid_value"],
    ] as const) {
      client.send({ ref, set });
      expect(await client.take("problem", ref)).toMatchObject({ code });
      expect(read()).toEqual(after);
    }
  });

  test.each(carriers)("%s: keeps conditions with a lease until the session is over", async (carrier) => {
    const host = await startHost();
    const { conditions } = host.service;
    const client = await connectTo(host, carrier);
    conditions.put("mine", conditionFromJson({ kind: "value", leaseMs: 300 }, "mine"));
    client.send({ ref: 1, set: { values: { mine: 1 } } });
    await client.take("receipt", 1);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(conditions.read("mine")).toMatchObject({ value: 1, holders: 1 });
    client.end();
    await vi.waitFor(() => expect(conditions.get("mine")).toBeUndefined(), 5_000);
  });
});
