/** Contracts of an embedded host: as over HTTP, without HTTP. */
import { describe, expect, onTestFinished, test } from "vitest";
import { createHost, type Host, isSluiceError } from "../../../../host/index.ts";

const contract = {
  conditions: { lag: { kind: "value" as const } },
  regions: [{ name: "calm", when: "lag < 20" }, { name: "busy" }],
  transitions: [{ from: "*", to: "busy", do: [{ callback: "app", data: { level: 2 } }] }],
};

async function open(): Promise<Host> {
  const host = await createHost({ memoryBytes: 64 * 2 ** 20 });
  onTestFinished(() => host.close());
  return host;
}

/** The code of what something throws. */
function codeOf(ask: () => unknown): string | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    expect(error).toSatisfy(isSluiceError);
    return (error as { code: string }).code;
  }
}

describe("host.contracts", () => {
  test("puts, shows, evaluates, plans, observes and removes", async () => {
    const { contracts, service } = await open();
    expect([contracts.put("web", contract), contracts.put("web", contract)]).toEqual([true, false]);
    expect(contracts.put("web.strict", { extends: "web", remove: ["busy"] })).toBe(true);
    expect(contracts.list().map(({ name }) => name)).toEqual(["web", "web.strict"]);
    expect(contracts.get("web.strict")).toMatchObject({
      document: { extends: "web" },
      definition: { regions: [{ name: "calm" }] },
      warnings: expect.arrayContaining([expect.any(String)]),
    });
    const heard: unknown[] = [];
    const stop = contracts.observe("web", {
      moved: ({ path, callback, data }) => heard.push([path, callback, data]),
      ended: (reason) => heard.push(reason),
    });
    expect(contracts.evaluate("web")).toEqual({ path: ["calm"], status: "active" });
    expect(contracts.plan("web", { values: { lag: 50 } })).toMatchObject({
      path: { from: ["calm"], to: ["busy"] },
      actions: [{ callback: "app" }],
    });
    expect(contracts.plan("new", { contract }).path).toEqual({ from: [], to: ["calm"] });
    service.conditions.change([["web.lag", { value: 50 }]]);
    expect(contracts.evaluate("web").path).toEqual(["busy"]);
    expect(heard).toEqual([
      [["calm"], undefined, undefined],
      [["busy"], "app", { level: 2 }],
    ]);
    expect(codeOf(() => contracts.remove("web"))).toBe("contract_in_use");
    contracts.remove("web.strict");
    contracts.remove("web");
    stop();
    expect(heard.at(-1)).toBe("removed");
    expect([contracts.list(), service.conditions.get("web.lag")]).toEqual([[], undefined]);
  });

  test.each([
    ["a name that is none", "invalid_value", ({ contracts }: Host) => contracts.put("A b", contract)],
    ["a name that is none, to get", "invalid_value", ({ contracts }: Host) => contracts.get("A b")],
    ["what is not there", "contract_unknown", ({ contracts }: Host) => contracts.get("none")],
    ["what is not there, to remove", "contract_unknown", ({ contracts }: Host) => contracts.remove("none")],
    ["what is not there, to evaluate", "contract_unknown", ({ contracts }: Host) => contracts.evaluate("none")],
    ["what is not there, to plan", "contract_unknown", ({ contracts }: Host) => contracts.plan("none")],
    [
      "what is not there, to observe",
      "contract_unknown",
      ({ contracts }: Host) => contracts.observe("none", { moved: () => {}, ended: () => {} }),
    ],
    [
      "an expression that cannot be read",
      "expression",
      ({ contracts }: Host) => contracts.put("x", { regions: [{ name: "a", when: "x >" }] }),
    ],
    [
      "a field that is not there",
      "unknown_field",
      ({ contracts }: Host) => contracts.put("x", { regionz: [] } as unknown as typeof contract),
    ],
  ])("refuses %s", async (_what, code, ask) => {
    const host = await open();
    expect(codeOf(() => ask(host))).toBe(code);
    expect(host.contracts.list()).toEqual([]);
  });
});
