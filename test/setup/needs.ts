/** Tests that need more than npm packages say so by name, and are skipped with the reason where it is missing. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "vitest";

/**
 * Skips the running test where a program is not on the path: first line of tests that start other servers or browsers.
 * Where nothing may be skipped (see closing-line.ts) such a skip fails the run.
 *
 * @param context The test's own context: `test("…", async (context) => { const nats = needsProgram(context, "nats-server"); … })`.
 * @param program Such as "nats-server"; `install` tells how to get it.
 * @returns Its full path.
 */
export function needsProgram(context: TestContext, program: string, install = `apt-get install ${program}`): string {
  const path = findProgram(program);
  if (path === undefined) context.skip(`needs ${program} (${install})`);
  return path as string;
}

/** Full path of a program, for hooks that have no test to skip; undefined where it is missing. */
export function findProgram(program: string): string | undefined {
  // Debian keeps servers in sbin, which is not on everybody's path.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
