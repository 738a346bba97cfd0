/** Filter modules: looked at in the runtime's own kind of worker, bound, switched while events come, rolled back. */
import { expect } from "vitest";
import { moduleWith } from "../host/filter/registry/modules.ts";
import { connectTo } from "../host/support/client.ts";
import type { Suite } from "./suite.ts";

const wasm = { "content-type": "application/wasm" };
const json = { "content-type": "application/json" };

/** Adds the tests. */
export function addModuleTests({ host, check }: Suite): void {
  const at = (path: string): string => `${host().url}/v1/${path}`;
  const put = (path: string, body: Uint8Array | object): Promise<Response> =>
    body instanceof Uint8Array
      ? fetch(at(path), { method: "PUT", headers: wasm, body: body as BodyInit })
      : fetch(at(path), { method: "PUT", headers: json, body: JSON.stringify(body) });

  check("a filter module is uploaded, bound, replaced and rolled back, and what cannot be one is refused", async () => {
    const info = await (await fetch(at("info"))).json();
    expect(info.capabilities).toMatchObject({ "filters.upload": true });
    const uploaded = await put("filters/picky", moduleWith());
    expect([uploaded.status, (await uploaded.json()).version]).toEqual([201, 1]);
    expect((await put("filters/picky", moduleWith())).status).toBe(200);
    await put("channels/modules", {});
    expect((await put("channels/modules/filters/out", { module: "picky" })).status).toBe(201);
    const sink = await connectTo(host(), "ws-json");
    await sink.join("modules", {});
    const source = await connectTo(host(), "tcp");
    expect(await source.publish("modules", { type: "a" })).toMatchObject([{ sinks: 1 }]);
    expect((await put("filters/picky", moduleWith({ decision: "drop" }))).status).toBe(201);
    expect(await source.publish("modules", { type: "b" })).toMatchObject([{ sinks: 0 }]);
    const back = await fetch(at("filters/picky/rollback"), { method: "POST", headers: json, body: "{}" });
    expect(await back.json()).toMatchObject({ version: 1, current: true });
    expect(await source.publish("modules", { type: "c" })).toMatchObject([{ sinks: 1 }]);
    expect((await sink.received(2)).map(({ type }) => type)).toEqual(["a", "c"]);
    const { counters } = await (await fetch(at("filters/picky"))).json();
    expect(counters).toMatchObject({ events: 3, sinksIn: 3, sinksOut: 2, switches: 2, faults: { trap: 0 } });
    const refused = await put("filters/picky", moduleWith().subarray(0, 90));
    expect(await refused.json()).toMatchObject({
      status: 422,
      code: "module_refused",
      reasons: expect.arrayContaining([expect.any(String)]),
    });
    expect((await fetch(at("filters/picky"), { method: "DELETE" })).status).toBe(409);
    await fetch(at("channels/modules"), { method: "DELETE" });
    expect((await fetch(at("filters/picky"), { method: "DELETE" })).status).toBe(204);
  });
}
