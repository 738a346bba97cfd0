import { describe, expect, test } from "vitest";
import { createClocks } from "../../host/clock.ts";

describe("createClocks()", () => {
  test("tells milliseconds since 1970 that never go back", () => {
    const { service } = createClocks();
    const from = Date.now();
    let before = service.now();
    expect(Math.abs(before - from)).toBeLessThan(5_000);
    for (let look = 0; look < 1_000; look++) {
      const now = service.now();
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
  });

  test("a timer runs once, and not at all when it was cancelled", async () => {
    const { real } = createClocks();
    let runs = 0;
    const cancel = real.setTimer(() => runs++, 1);
    cancel();
    await new Promise<void>((resolve) => real.setTimer(resolve, 5));
    expect(runs).toBe(0);
  });
});
