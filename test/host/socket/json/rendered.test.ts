import { describe, expect, test } from "vitest";
import { printOf, RenderedEvents } from "../../../../host/socket/json/rendered.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const keep = (rendered: RenderedEvents, channel: number, sequence: number, text: string) =>
  rendered.keep(channel, sequence, 1, bytes(text), 0, text.length);
const find = (rendered: RenderedEvents, channel: number, sequence: number): string | undefined => {
  const slot = rendered.find(channel, sequence, 1);
  if (slot < 0) return undefined;
  return new TextDecoder().decode(rendered.ring.subarray(rendered.at(slot), rendered.at(slot) + rendered.size(slot)));
};

describe("RenderedEvents", () => {
  test("finds what was kept, by channel, sequence and print", () => {
    const rendered = new RenderedEvents(8, 64);
    keep(rendered, 1, 1, "one");
    keep(rendered, 1, 2, "two");
    expect(find(rendered, 1, 1)).toBe("one");
    expect(find(rendered, 1, 2)).toBe("two");
    expect(find(rendered, 2, 1)).toBeUndefined();
    expect(rendered.find(1, 1, 2)).toBe(-1);
  });

  test("never gives what the ring has overwritten", () => {
    const rendered = new RenderedEvents(64, 64);
    for (let sequence = 1; sequence <= 1_000; sequence += 1) {
      keep(rendered, 1, sequence, `${sequence}`.padStart(1 + (sequence % 15), "."));
      for (let before = Math.max(1, sequence - 70); before <= sequence; before += 1) {
        const found = find(rendered, 1, before);
        if (found !== undefined) expect(found).toBe(`${before}`.padStart(1 + (before % 15), "."));
      }
      expect(find(rendered, 1, sequence)).toBeDefined();
    }
  });

  test("does not keep texts above a quarter of the ring", () => {
    const rendered = new RenderedEvents(8, 64);
    keep(rendered, 1, 1, "x".repeat(17));
    expect(find(rendered, 1, 1)).toBeUndefined();
  });

  test("forgets everything at clear()", () => {
    const rendered = new RenderedEvents(8, 64);
    keep(rendered, 1, 1, "one");
    rendered.clear();
    expect(find(rendered, 1, 1)).toBeUndefined();
  });
});

describe("printOf()", () => {
  test("differs where the last eight bytes or the size differ", () => {
    const print = (text: string) => printOf(bytes(text), 0, text.length);
    const long = "x".repeat(500);
    expect(print(`${long}12345678`)).not.toBe(print(`${long}12345679`));
    expect(print(long)).not.toBe(print(`${long}x`));
    expect(print("")).not.toBe(print("x"));
  });
});
