import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withLock } from "../../scripts/lib/lock.mjs";

describe("withLock()", () => {
  let folder = "";
  let path = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-lock-"));
    path = join(folder, "lock");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("does one piece of work at a time and frees the lock after it", async () => {
    const running: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      running.push(`${name} begins`);
      expect(readFileSync(path, "utf8")).toBe(String(process.pid));
      await new Promise(setImmediate);
      running.push(`${name} ends`);
    };
    await Promise.all([withLock(path, work("one")), withLock(path, work("two"))]);
    expect(running).toEqual(["one begins", "one ends", "two begins", "two ends"]);
    expect(existsSync(path)).toBe(false);
  });

  test("frees the lock where the work fails", async () => {
    await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(existsSync(path)).toBe(false);
  });

  test("passes over a holder that died", async () => {
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    writeFileSync(path, String(dead));
    expect(await withLock(path, async () => "done")).toBe("done");
  });

  test("says once for whom it waits", async () => {
    writeFileSync(path, String(process.ppid));
    const waited: number[] = [];
    const free = (pid: number): void => {
      waited.push(pid);
      rmSync(path);
    };
    await withLock(path, async () => undefined, free);
    expect(waited).toEqual([process.ppid]);
  });
});
