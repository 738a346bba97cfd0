import { describe, expect, test } from "vitest";
import { errorFromNetwork, errorFromProblem, lineFromProblem } from "../../../host/cli/failure.ts";

describe("lineFromProblem()", () => {
  test("is one line with sentence and code, and adds value and limit only where the sentence lacks them", () => {
    expect(
      lineFromProblem({
        code: "event_too_large",
        detail: "An event of 70000 bytes is too large, limit is 65536",
        value: 70_000,
        limit: 65_536,
      }),
    ).toBe("an event of 70000 bytes is too large, limit is 65536 [event_too_large]");
    expect(lineFromProblem({ code: "invalid_value", title: "A value is not allowed", value: 11, limit: 9 })).toBe(
      "a value is not allowed (value 11, limit 9) [invalid_value]",
    );
  });

  test("keeps names at the start as they are", () => {
    expect(lineFromProblem({ detail: "JSON ends within a string." })).toBe("JSON ends within a string");
  });
});

describe("errorFromProblem()", () => {
  test("tells a newcomer what to do about a channel that is not there", () => {
    const error = errorFromProblem({ code: "channel_unknown", detail: 'There is no channel "x"' });
    expect(error.message).toContain("sluice channel ls");
    expect(error.code).toBe("channel_unknown");
    expect(error.exitCode).toBe(1);
  });
});

describe("errorFromNetwork()", () => {
  const cause = (code: string): Error =>
    new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code }) });

  test.each([
    ["ECONNREFUSED", /nothing answers at http:\/\/h:1; is a host running\? try: npm start/],
    ["ENOTFOUND", /cannot find the host name .* SLUICE_URL/],
    ["ECONNRESET", /closed the connection/],
    ["HPE_INVALID_CONSTANT", /does not speak HTTP/],
    ["EWHATEVER", /cannot reach .* EWHATEVER/],
  ])("explains %s", (code, message) => {
    expect(errorFromNetwork(cause(code), "http://h:1").message).toMatch(message);
  });

  test("follows an AggregateError of several addresses", () => {
    const both = new AggregateError([Object.assign(new Error("x"), { code: "ECONNREFUSED" })]);
    expect(errorFromNetwork(both, "http://h:1").message).toMatch(/is a host running/);
  });

  test("does not print credentials of a URL", () => {
    expect(errorFromNetwork(cause("ECONNREFUSED"), "http://me:secret@h:1").message).not.toContain("secret");
  });
});
