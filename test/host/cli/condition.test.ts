import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningHost, startHost, stopHost } from "./sluice.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

async function put(name: string, definition: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  await fetch(`${host.url}/v1/conditions/${name}`, { method: "PUT", headers, body: JSON.stringify(definition) });
}

describe("sluice condition", () => {
  test("lists, shows, sets and adds", async () => {
    expect((await host.run(["condition", "ls"])).stdout).toContain("no conditions");
    await put("load", { kind: "value" });
    await put("mode", { kind: "value", type: "string" });
    await put("requests", { kind: "counter" });
    expect((await host.run(["condition", "set", "load", "0.7"])).stdout).toBe("load is 0.7\n");
    const both = await host.run(["condition", "set", "load=0.9", "mode:=1", "--json"]);
    expect(JSON.parse(both.stdout)).toMatchObject({ values: { load: { value: 0.9 }, mode: { value: "1" } } });
    await host.run(["condition", "set", "requests", "2", "--add"]);
    const table = (await host.run(["condition", "ls"])).stdout;
    expect(table).toMatch(/CONDITION +KIND +VALUE +SINCE/);
    expect(table).toMatch(/mode +value +"1"/);
    expect(table).toMatch(/requests +counter +2/);
    expect((await host.run(["condition", "show", "load"])).stdout).toMatch(/^value +0\.9$/m);
    const lines = (await host.run(["condition", "ls", "--json"])).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(["load", "mode", "requests"]);
    // The machine is there to be looked at where the host is a process.
    await put("cpu", { kind: "host", metric: "cpu" });
    expect(JSON.parse((await host.run(["condition", "show", "cpu", "--json"])).stdout)).toMatchObject({ kind: "host" });
  });

  test("fails by name, and asks for a value", async () => {
    expect(await host.run(["condition", "show", "nothing"])).toMatchObject({ code: 1 });
    const set = await host.run(["condition", "set", "nothing=1"]);
    expect([set.code, set.stderr]).toEqual([1, expect.stringContaining('"nothing"')]);
    expect((await host.run(["condition", "set", "nothing"])).code).toBe(2);
  });
});
