import { describe, expect, test } from "vitest";
import { createLog, type Log, type LogLevel, silentLog } from "../../host/log.ts";

function createTestLog(level?: LogLevel): { log: Log; lines: () => Record<string, unknown>[]; texts: string[] } {
  const texts: string[] = [];
  const log = createLog({ sink: (line) => texts.push(line), now: () => 0, ...(level === undefined ? {} : { level }) });
  return { log, texts, lines: () => texts.map((text) => JSON.parse(text)) };
}

describe("createLog()", () => {
  test("writes one JSON object per line: time, level, message, fields", () => {
    const { log, texts } = createTestLog();
    log.info("ready", { url: "http://x", n: 1 });
    expect(texts).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"ready","url":"http://x","n":1}',
    ]);
  });

  test("writes its level and those above", () => {
    for (const [level, count] of [
      ["debug", 4],
      ["info", 3],
      ["warn", 2],
      ["error", 1],
    ] as const) {
      const { log, texts } = createTestLog(level);
      log.debug("d");
      log.info("i");
      log.warn("w");
      log.error("e");
      expect(texts, level).toHaveLength(count);
    }
    const { log, texts } = createTestLog();
    log.debug("d");
    expect(texts).toEqual([]);
  });

  test("keeps a message with line breaks on one line", () => {
    const { log, texts } = createTestLog();
    log.info("a\nb\u2028c");
    expect(texts[0]).not.toContain("\n");
    expect(JSON.parse(texts[0] as string).message).toBe("a\nb\u2028c");
  });

  test("lets no field pretend to be time, level or message", () => {
    const { log, lines } = createTestLog();
    log.with({ level: "debug" }).info("real", { message: "fake", time: "never" });
    expect(lines()[0]).toEqual({ time: "1970-01-01T00:00:00.000Z", level: "info", message: "real" });
  });

  test("tells errors with their code, stack and cause", () => {
    const { log, lines } = createTestLog();
    const error = Object.assign(new Error("outer", { cause: new Error("inner") }), { code: "EPIPE" });
    log.error("failed", { error });
    expect(lines()[0]).toMatchObject({
      error: { name: "Error", code: "EPIPE", message: "outer", cause: { message: "inner" } },
    });
    expect(lines()[0]).toHaveProperty("error.stack", expect.stringContaining("log.test.ts"));
  });

  test("writes what JSON has no word for as text", () => {
    const { log, lines } = createTestLog();
    log.info("odd", { big: 2n ** 64n, nan: Number.NaN, up: Number.POSITIVE_INFINITY, none: undefined });
    expect(lines()[0]).toMatchObject({ big: "18446744073709551616", nan: "NaN", up: "Infinity" });
  });

  test("never throws: a cyclic field leaves the message, a broken sink nothing", () => {
    const { log, lines } = createTestLog();
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    log.info("cyclic", cycle);
    expect(lines()).toEqual([{ time: "1970-01-01T00:00:00.000Z", level: "info", message: "cyclic" }]);
    const broken = createLog({
      now: () => 0,
      sink: () => {
        throw new Error("gone");
      },
    });
    expect(() => broken.error("x")).not.toThrow();
    expect(() => silentLog.error("x")).not.toThrow();
  });

  test("with() adds fields to every line, nearer ones win", () => {
    const { log, lines } = createTestLog();
    log.with({ session: 1, a: 1 }).with({ a: 2 }).info("x", { b: 3 });
    expect(lines()[0]).toMatchObject({ session: 1, a: 2, b: 3 });
  });
});
