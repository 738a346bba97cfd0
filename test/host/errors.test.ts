import { describe, expect, test } from "vitest";
import { codes, isSluiceError, problemBody, problemCore, SluiceError, sluiceErrorFrom } from "../../host/errors.ts";

const rows = Object.entries(codes);
/** The statuses of the surface, and 500 for our own faults. */
const statuses = [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 503];

describe("codes", () => {
  test.each(rows)(
    "%s has a status of the surface, and a close code of its own that agrees with `retryable`",
    (_code, meaning) => {
      expect(statuses).toContain(meaning.status);
      expect(meaning.close).toBeGreaterThanOrEqual(3_000);
      expect(meaning.close).toBeLessThanOrEqual(3_999);
      expect(meaning.retryable).toBe(meaning.close < 3_500);
      expect(rows.filter(([, other]) => other.close === meaning.close)).toHaveLength(1);
    },
  );

  test.each(rows)("%s has a title: a sentence without full stop that no other code has", (code, { title }) => {
    expect(code).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(rows.filter(([, other]) => other.title === title)).toHaveLength(1);
  });

  test("what waiting cures is 429, 500 or 503, so that clients may tell by the status too", () => {
    const odd = rows.filter(([, { retryable, status }]) => retryable !== [429, 500, 503].includes(status));
    // A host that cannot start is unavailable, and waiting does not help.
    expect(odd.map(([code]) => code)).toEqual(["memory_too_small", "state_unusable"]);
  });
});

describe("SluiceError", () => {
  test("carries code, value, limit and cause, and knows whether a retry may help", () => {
    const cause = new Error("why");
    const error = new SluiceError("mailbox_full", "Cannot take another event, limit is 5", {
      value: 6,
      limit: 5,
      cause,
    });
    expect(error).toMatchObject({ code: "mailbox_full", value: 6, limit: 5, retryable: true, cause });
    expect(error).toBeInstanceOf(Error);
    expect(new SluiceError("malformed", "x").retryable).toBe(false);
    expect("value" in new SluiceError("malformed", "x")).toBe(true);
    expect(Object.hasOwn(new SluiceError("malformed", "x"), "cause")).toBe(false);
  });

  test("keeps falsy values and limits", () => {
    expect(new SluiceError("no_credit", "x", { value: 0, limit: 0 })).toMatchObject({ value: 0, limit: 0 });
    expect(new SluiceError("invalid_value", "x", { value: null }).value).toBeNull();
  });
});

describe("isSluiceError()", () => {
  test("knows errors of another copy of the module, and nothing else", () => {
    const other = Object.defineProperty(new Error("x"), Symbol.for("sluice.error"), { value: true });
    expect(isSluiceError(other)).toBe(true);
    expect(isSluiceError(new SluiceError("internal", "x"))).toBe(true);
    for (const thing of [new Error("x"), { code: "internal" }, null, undefined, "internal", 1])
      expect(isSluiceError(thing)).toBe(false);
  });
});

describe("sluiceErrorFrom()", () => {
  test("keeps ours, and tells nobody what a foreign error says", () => {
    const ours = new SluiceError("draining", "x");
    expect(sluiceErrorFrom(ours)).toBe(ours);
    const foreign = sluiceErrorFrom(new Error("secret of /etc"));
    expect(foreign).toMatchObject({ code: "internal", cause: { message: "secret of /etc" } });
    expect(JSON.stringify(problemBody(foreign, "1"))).not.toContain("secret");
    expect(sluiceErrorFrom("text").code).toBe("internal");
  });
});

describe("problemBody() and problemCore()", () => {
  test("have the members of RFC 9457 and ours", () => {
    const error = new SluiceError("channel_unknown", 'Cannot find a channel "x"', { value: "x" });
    expect(problemBody(error, "r1")).toEqual({
      type: "urn:sluice:problem:channel_unknown",
      title: "There is no such channel",
      status: 404,
      code: "channel_unknown",
      detail: 'Cannot find a channel "x"',
      value: "x",
      instance: "r1",
    });
    expect(problemBody(error, "r1", 426).status).toBe(426);
    expect(problemCore(error)).toEqual({
      code: "channel_unknown",
      title: "There is no such channel",
      detail: 'Cannot find a channel "x"',
      value: "x",
    });
  });

  test("say where an expression cannot be read", () => {
    const place = { line: 2, column: 8, expected: ["a name"] };
    const error = new SluiceError("expression", "Cannot read the expression", { value: "AND", ...place });
    expect(problemBody(error, "r1")).toMatchObject({ status: 422, value: "AND", ...place });
  });
});
