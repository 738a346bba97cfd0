import { describe, expect, test } from "vitest";
import { lineFromEvent } from "../../../host/cli/render.ts";
import { columnsOf, createStyle } from "../../../host/cli/style.ts";

const plain = createStyle(false);
const event = {
  id: "x",
  type: "order.placed",
  source: "/web/1",
  time: "2026-01-01T00:00:00.250Z",
  attributes: { load: 0.123456789, zone: "eu", urgent: true, note: "two words" },
  key: "r-17",
  priority: 9,
  data: { total: 12.5 },
};

describe("lineFromEvent()", () => {
  test("has time, type, source, data and attributes in this order", () => {
    const at = new Date(event.time);
    const clock = [at.getHours(), at.getMinutes(), at.getSeconds()]
      .map((part) => String(part).padStart(2, "0"))
      .join(":");
    expect(lineFromEvent(event, plain)).toBe(
      `${clock}.250  order.placed  /web/1          {"total":12.5}  load=0.123457 zone=eu urgent=true note="two words" key=r-17 priority=9`,
    );
  });

  test.each([80, 200])("fits %d columns", (width) => {
    const long = { ...event, data: "x".repeat(500) };
    expect(columnsOf(lineFromEvent(long, plain, width))).toBeLessThanOrEqual(width);
  });

  test("never cuts where no width is given", () => {
    expect(lineFromEvent({ ...event, data: "x".repeat(500) }, plain)).toContain("x".repeat(500));
  });

  test("shows escape sequences of a publisher instead of obeying them", () => {
    const hostile = {
      type: "\u001b]0;title\u0007",
      source: "/\u001b[2J",
      data: "\u001b[31m\nfaked line",
      attributes: { a: "\u009b" },
    };
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(lineFromEvent(hostile, plain)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  test.each([
    [{ type: "t", data: "text" }, "text"],
    [{ type: "t", data: 0 }, "0"],
    [{ type: "t", data: null }, "null"],
    [{ type: "t", dataBase64: "AAEC", dataContentType: "image/png" }, "<3 bytes image/png>"],
    [{ type: "t", dataBase64: "AAECAw==" }, "<4 bytes>"],
    [{ type: "t" }, "-"],
  ])("ends %j with %j", (shown, end) => {
    expect(lineFromEvent(shown, plain).endsWith(end)).toBe(true);
  });

  test("says that an event has no readable time", () => {
    expect(lineFromEvent({ type: "t", time: "never" }, plain)).toMatch(/^--:--:--\.---/);
  });
});
