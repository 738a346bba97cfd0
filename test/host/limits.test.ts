import { describe, expect, test } from "vitest";
import { limits } from "../../host/limits.ts";

describe("limits", () => {
  test("are frozen whole numbers above 0", () => {
    expect(Object.isFrozen(limits)).toBe(true);
    for (const [name, value] of Object.entries(limits))
      expect(Number.isSafeInteger(value) && value > 0, name).toBe(true);
  });

  test("fit one another", () => {
    // An event and what surrounds it must fit a frame, and a base64 one must fit a body.
    expect(limits.frameBytes).toBeGreaterThan(limits.eventBytes);
    expect(limits.bodyBytes).toBeGreaterThanOrEqual((limits.eventBytes * 4) / 3);
    // A member's attributes by name and number must be able to exist.
    expect(limits.memberAttributesBytes).toBeGreaterThan(limits.attributes * limits.attributeNameBytes);
    // "/" + client + "/" + connection must fit the 256 bytes that the core keeps of an implicit source.
    expect(limits.clientNameBytes + 2 + String(limits.connections).length).toBeLessThanOrEqual(256);
    expect(limits.listDefault).toBeLessThanOrEqual(limits.listMax);
    expect(limits.structDepth).toBeLessThan(limits.jsonDepth);
    expect(limits.memoryBytes).toBeLessThanOrEqual(limits.memoryBytesMax);
    expect(limits.inboxEvents).toBe(65_536);
    expect(limits.inboxBytes).toBe(16 * 2 ** 20);
    expect(Math.log2(limits.renderCacheEvents) % 1).toBe(0);
  });
});
