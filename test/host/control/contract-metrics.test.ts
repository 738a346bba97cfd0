/** What /metrics tells of contracts. */
import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { createTestControl, type TestControl } from "./support.ts";

/** Samples of a metric, by contract. */
async function samples({ ask }: TestControl, name: string): Promise<Record<string, number>> {
  const { text } = await ask("GET", "/metrics");
  const found = [...text.matchAll(new RegExp(`^sluice_contract_${name}_total\\{contract="([^"]+)"\\} (\\d+)$`, "gm"))];
  return Object.fromEntries(found.map(([, contract, value]) => [contract, Number(value)]));
}

describe("GET /metrics", () => {
  test("counts what each contract does", async () => {
    const control = createTestControl();
    expect(await samples(control, "evaluations")).toEqual({});
    const condition = { lag: { kind: "value" } };
    const regions = [{ name: "calm", when: "lag < 5" }, { name: "busy" }];
    const transitions = [{ from: "*", to: "busy", do: [{ unbind: { channel: "gone", stage: "in" } }] }];
    await control.ask("PUT", "/v1/contracts/web", { conditions: condition, regions, transitions });
    await control.ask("PUT", "/v1/contracts/other", { regions: [{ name: "always" }] });
    for (const value of [1, 9, 2]) {
      await control.ask("PUT", "/v1/conditions/web.lag/value", { value });
      await control.ask("POST", "/v1/contracts/web/evaluate");
    }
    expect(await samples(control, "transitions")).toMatchObject({ web: 3 });
    expect(await samples(control, "failures")).toEqual({ web: 1, other: 0 });
    const { json } = await control.ask("GET", "/v1/contracts/web");
    expect(await samples(control, "triggers")).toMatchObject({ web: json["triggers"] });
    expect(await samples(control, "evaluations")).toMatchObject({ web: json["evaluations"] });
  });

  test("tells the oldest by name, and the rest together", async () => {
    const control = createTestControl();
    for (let number = 0; number < limits.contractMetrics + 3; number++)
      await control.ask("PUT", `/v1/contracts/c${number}`, { regions: [{ name: "always" }] });
    for (const number of [0, 256, 258]) await control.ask("POST", `/v1/contracts/c${number}/evaluate`);
    const told = await samples(control, "transitions");
    expect(Object.keys(told)).toHaveLength(limits.contractMetrics + 1);
    expect(told).toMatchObject({ c0: 1, c1: expect.any(Number), "(others)": expect.any(Number) });
    expect(told["(others)"]).toBeGreaterThanOrEqual(2);
    expect(told).not.toHaveProperty("c256");
  });
});
