/** The package as a library: `exports` leads to the runtime's own entry, and a host inside of a process works. */
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { startProgram } from "../host/cli/sluice.ts";
import type { Suite } from "./suite.ts";

const script = fileURLToPath(new URL("../fixtures/embedded.mjs", import.meta.url));

/** Adds the tests. */
export function addEmbeddedTests({ target, check }: Suite): void {
  check("import from the package gives a host that embeds and serves", async () => {
    const args = target.name === "deno" ? ["run", "--allow-all", "--no-prompt"] : [];
    const { code, stdout, stderr } = await startProgram(target.command, [...args, script], { input: "" }).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ events: ["a", "b"] });
    expect(told.runtime).toMatch(target.runtime);
  });
}
