import { describe, expect, test } from "vitest";
import { Clients, clientKey, defaultClientRules, unlimited } from "../../host/clients.ts";
import { isSluiceError, type SluiceError } from "../../host/errors.ts";
import { limits } from "../../host/limits.ts";
import { ManualClock } from "./support/service.ts";

function refusal(work: () => unknown): SluiceError | undefined {
  try {
    work();
  } catch (error) {
    if (isSluiceError(error)) return error;
    throw error;
  }
  return undefined;
}

describe("Clients.request()", () => {
  test("lets a second's worth pass at once, then the rate, and says when to come back", () => {
    const clock = new ManualClock();
    const clients = new Clients({ connections: 0, requests: 10 }, clock);
    for (let count = 0; count < 10; count += 1) expect(clients.request("10.0.0.1"), `request ${count}`).toBeUndefined();
    const refused = clients.request("10.0.0.1");
    expect(refused).toMatchObject({ code: "rate_limited", limit: 10, retryable: true });
    expect(refused?.retryMs).toBeCloseTo(100);
    clock.advance(100);
    expect(clients.request("10.0.0.1")).toBeUndefined();
    expect(clients.request("10.0.0.1")?.code).toBe("rate_limited");
    clock.advance(10_000);
    for (let count = 0; count < 10; count += 1) expect(clients.request("10.0.0.1")).toBeUndefined();
    expect(clients.request("10.0.0.1")?.code).toBe("rate_limited");
    expect(clients.refused).toBe(3);
  });

  test("counts each address by itself, and what is refused costs nothing", () => {
    const clock = new ManualClock();
    const clients = new Clients({ connections: 0, requests: 1 }, clock);
    expect(clients.request("10.0.0.1")).toBeUndefined();
    for (let count = 0; count < 100; count += 1) expect(clients.request("10.0.0.1")?.retryMs).toBeCloseTo(1_000);
    expect(clients.request("10.0.0.2")).toBeUndefined();
    clock.advance(1_000);
    expect(clients.request("10.0.0.1")).toBeUndefined();
  });

  test("knows no limit where there is none, and keeps nobody in mind for it", () => {
    const clients = new Clients(unlimited, new ManualClock());
    const refusals = Array.from({ length: 100_000 }, () => clients.request("10.0.0.1"));
    expect(refusals.every((refusal) => refusal === undefined)).toBe(true);
    clients.connect("10.0.0.1")();
    expect(clients.count).toBe(0);
  });
});

describe("Clients.connect()", () => {
  test("takes as many as the limit says, and others once one has gone", () => {
    const clients = new Clients({ connections: 2, requests: 0 }, new ManualClock());
    const first = clients.connect("10.0.0.1");
    clients.connect("10.0.0.1");
    expect(refusal(() => clients.connect("10.0.0.1"))).toMatchObject({
      code: "rate_limited",
      limit: 2,
      message: "Cannot take another connection from 10.0.0.1, it has 2, limit is 2",
    });
    clients.connect("10.0.0.2");
    first();
    first();
    clients.connect("10.0.0.1");
    expect(refusal(() => clients.connect("10.0.0.1"))?.code).toBe("rate_limited");
  });
});

describe("the table of clients", () => {
  test("forgets those of whom nothing is left to know, and never grows beyond its bound", () => {
    const clock = new ManualClock();
    const clients = new Clients({ connections: 1, requests: 1 }, clock, 3);
    const leave = clients.connect("10.0.0.1");
    clients.request("10.0.0.2");
    clients.request("10.0.0.3");
    // All three are busy: whoever comes now shares one allowance.
    expect(clients.request("10.0.0.4")).toBeUndefined();
    expect(clients.request("10.0.0.5")?.code).toBe("rate_limited");
    clock.advance(1_000);
    for (let index = 6; index < 1_000; index += 1) {
      clients.request(`10.0.1.${index}`);
      expect(clients.count).toBeLessThanOrEqual(3);
    }
    expect(refusal(() => clients.connect("10.0.0.1"))?.code, "the connection is still there").toBe("rate_limited");
    leave();
    clients.connect("10.0.0.1");
  });
});

describe("clientKey()", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", "unknown"],
    [undefined, "unknown"],
  ])("%s is %s", (address, key) => {
    expect(clientKey(address)).toBe(key);
  });
});

test("defaultClientRules are those of limits.ts", () => {
  expect(defaultClientRules).toEqual({ connections: limits.clientConnections, requests: limits.clientRequests });
});
