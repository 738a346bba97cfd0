/** Goal: whoever sets a bad expression is told where it is wrong, whichever way it came. */
import { describe, expect, test } from "vitest";
import { createTestControl } from "../control/support.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

/** Wrong at the second AND. */
const WHERE = "load > 0.5 AND\n  AND zone = 'eu'";
const REFUSAL = {
  code: "expression",
  title: "The expression cannot be used",
  value: "AND",
  line: 2,
  column: 3,
  expected: ["a name", "a constant", "a function", '"("', "NOT", '"-"', "EXISTS"],
};

describe("a bad expression is refused with line, column and what was expected", () => {
  test.each(carriers)("in a join over %s", async (carrier) => {
    const client = await connectTo(await startHost(), carrier);
    client.send({ ref: 1, join: { channel: "c", where: WHERE } });
    expect(await client.take("problem", 1)).toMatchObject(REFUSAL);
  });

  test("in a stream of server-sent events", async () => {
    const { ask } = createTestControl();
    await ask("PUT", "/v1/channels/c", {});
    const path = `/v1/channels/c/events?${new URLSearchParams({ where: WHERE })}`;
    const { status, json } = await ask("GET", path, undefined, { Accept: "text/event-stream" });
    expect({ ...json, status }).toMatchObject({ ...REFUSAL, status: 422 });
  });

  test("in a join of an inbox, and one beyond a limit with value and limit", async () => {
    const { ask } = createTestControl();
    const { json: inbox } = await ask("POST", "/v1/inboxes", {});
    const join = async (where: string) => (await ask("PUT", `/v1/inboxes/${inbox["id"]}/joins/c`, { where })).json;
    expect(await join(WHERE)).toMatchObject({ ...REFUSAL, status: 422 });
    expect(await join("(".repeat(10_000))).toMatchObject({ status: 422, limit: 8_192 });
    const beyond = { code: "limit_reached", status: 422, value: 129, limit: 128, line: 1, column: 130 };
    expect(await join("(".repeat(8_000))).toMatchObject(beyond);
  });
});
