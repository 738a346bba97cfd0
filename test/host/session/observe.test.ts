/** A session that evaluates contracts and is told where they are. */
import { describe, expect, test } from "vitest";
import { conditionFromJson } from "../../../host/condition/schema.ts";
import { contractFromJson } from "../../../host/contract/schema.ts";
import { limits } from "../../../host/limits.ts";
import { type Client, carriers, connectTo } from "../support/client.ts";
import { startHost, type TestHost } from "../support/host.ts";
import { until } from "../support/until.ts";

const contract = {
  regions: [
    { name: "calm", when: "load < 10" },
    { name: "busy", regions: [{ name: "hot", when: "load > 90" }, { name: "warm" }] },
  ],
  transitions: [
    { from: "calm", to: "busy", do: [{ callback: "alarm", data: { level: 3 } }] },
    { from: "warm", to: "hot", mode: "async", do: [{ callback: "shed" }, { callback: "page" }] },
  ],
};

async function governed(): Promise<{ host: TestHost; load(value: number): void }> {
  const host = await startHost();
  const { conditions, contracts } = host.service;
  conditions.put("load", conditionFromJson({ kind: "value" }, "load"));
  contracts.put("web", contractFromJson(contract, "web"));
  contracts.run();
  return { host, load: (value) => conditions.change([["load", { value }]]) };
}

const regions = (client: Client): object[] =>
  client.told.filter(({ kind }) => kind === "region").map(({ value }) => value);

describe("evaluate", () => {
  test.each(carriers)("%s: is answered with the path, whether or not it asks with a ref", async (carrier) => {
    const { host, load } = await governed();
    const client = await connectTo(host, carrier);
    client.send({ ref: 1, evaluate: { contract: "web" } });
    expect(await client.take("region", 1)).toMatchObject({ contract: "web", path: ["calm"], handlers: [] });
    load(50);
    client.send({ evaluate: { contract: "web" } });
    expect(await client.take("region")).toMatchObject({ path: ["busy", "warm"] });
    expect(host.service.contracts.read("web")).toMatchObject({ triggers: 4 });
    client.send({ ref: 2, evaluate: { contract: "nothing" } });
    expect(await client.take("problem", 2)).toMatchObject({ code: "contract_unknown", value: "nothing" });
  });
});

describe("observe", () => {
  test.each(carriers)("%s: tells of each transition, of each callback, and of the end", async (carrier) => {
    const { host, load } = await governed();
    const client = await connectTo(host, carrier);
    client.send({ ref: 1, observe: { contract: "web" } });
    expect(await client.take("region", 1)).toMatchObject({ path: ["calm"] });
    load(50);
    const first = await client.take("region");
    expect(first).toMatchObject({
      contract: "web",
      path: ["busy", "warm"],
      handlers: ["calm->busy"],
      callback: "alarm",
      data: { level: 3 },
    });
    load(95);
    expect(await client.take("region")).toMatchObject({ path: ["busy", "hot"], callback: "shed" });
    expect(await client.take("region")).toMatchObject({ path: ["busy", "hot"], callback: "page" });
    load(1);
    const calm = await client.take("region");
    expect([calm.path, calm.handlers, calm.callback || undefined]).toEqual([["calm"], [], undefined]);
    host.service.contracts.remove("web");
    expect(await client.take("region")).toMatchObject({ path: [], status: "removed" });
    expect(host.service.regions.count).toBe(0);
  });

  test("a path that stays behind says so", async () => {
    const { host, load } = await governed();
    const { contracts } = host.service;
    contracts.put("gap", contractFromJson({ regions: [{ name: "low", when: "load < 5" }] }, "gap"));
    contracts.run();
    const client = await connectTo(host, "ws-json");
    load(7);
    client.send({ ref: 1, evaluate: { contract: "gap" } });
    expect(await client.take("region", 1)).toMatchObject({ path: ["low"], status: "no_region" });
  });

  test.each(carriers)("%s: nothing is told behind stop, nor twice to who asks twice", async (carrier) => {
    const { host, load } = await governed();
    const client = await connectTo(host, carrier);
    for (const ref of [1, 2]) client.send({ ref, observe: { contract: "web" } });
    await client.take("region", 2);
    load(50);
    client.send({ ref: 3, observe: { contract: "web", stop: true } });
    await client.take("region", 3);
    const count = regions(client).length;
    load(1);
    client.send({ ref: 4, evaluate: { contract: "web" } });
    await client.take("region", 4);
    expect(regions(client)).toHaveLength(count + 1);
    expect(host.service.regions.count).toBe(0);
  });

  test("ends with its session, and an unknown contract or one too many is refused", async () => {
    const { host } = await governed();
    const { contracts, regions: observers } = host.service;
    const client = await connectTo(host, "tcp");
    client.send({ ref: 1, observe: { contract: "nothing" } });
    expect(await client.take("problem", 1)).toMatchObject({ code: "contract_unknown" });
    for (let index = 0; index <= limits.contractsObserved; index++) {
      contracts.put(`c${index}`, contractFromJson({ regions: [{ name: "a" }] }, `c${index}`));
      client.send({ observe: { contract: `c${index}` } });
    }
    expect(await client.take("problem")).toMatchObject({ code: "limit_reached", limit: limits.contractsObserved });
    expect(observers.count).toBe(limits.contractsObserved);
    client.end(true);
    await until(
      () => observers.count === 0,
      () => `no observers, there are ${observers.count}`,
    );
  });

  test("who does not read is told the newest of each contract, and how many it was not told", async () => {
    const { host, load } = await governed();
    const { service } = host;
    const wordy = {
      ...contract,
      transitions: [{ from: "*", to: "busy", do: [{ callback: "alarm", data: { text: "x".repeat(8_192) } }] }],
    };
    service.contracts.put("web", contractFromJson(wordy, "web"));
    const client = await connectTo(host, "ws-json");
    const sibling = await connectTo(host, "ws-json");
    for (const one of [client, sibling]) {
      one.send({ ref: 1, observe: { contract: "web" } });
      await one.take("region", 1);
    }
    client.pause();
    const rounds = 4_000;
    let sent = 0;
    // More than the system keeps for who does not read; the other one reads all along.
    while (sent < rounds) {
      for (let index = 0; index < 4; index++, sent++) {
        load(sent % 2 === 0 ? 50 : 1);
        service.contracts.run();
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    load(95);
    service.contracts.run();
    client.resume();
    for (const one of [client, sibling]) {
      await until(
        () => JSON.stringify(regions(one).at(-1))?.includes('"hot"') === true,
        () => `the newest path; there is ${JSON.stringify(regions(one).at(-1))}`,
      );
      const told = regions(one) as { skipped?: number; callback?: string }[];
      const skipped = told.reduce((sum, region) => sum + (region.skipped ?? 0), 0);
      // An answer, and each transition once.
      expect(told.length + skipped).toBeGreaterThanOrEqual(rounds + 2);
      expect(one === client ? skipped : 1).toBeGreaterThan(0);
    }
    client.send({ ref: 9, ping: {} });
    await client.take("pong", 9);
  });

  test("who comes back is told where the contract is now", async () => {
    const { host, load } = await governed();
    const client = await connectTo(host, "tcp");
    client.send({ ref: 1, hello: { lingerMs: 30_000 } });
    const { session } = await client.take("welcome", 1);
    client.send({ ref: 2, observe: { contract: "web" } });
    await client.take("region", 2);
    client.end(true);
    await client.closed;
    await until(
      () => host.service.resumption.count > 0,
      () => "a session that lingers",
    );
    for (const value of [50, 1, 95]) {
      load(value);
      host.service.contracts.run();
    }
    const again = await connectTo(host, "tcp");
    again.send({ ref: 1, hello: { session, received: 0 } });
    expect(await again.take("welcome", 1)).toMatchObject({ resumed: true });
    expect(await again.take("region")).toMatchObject({ path: ["busy", "hot"], skipped: 2 });
    load(1);
    expect(await again.take("region")).toMatchObject({ path: ["calm"] });
  });
});
