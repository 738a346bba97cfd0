/** Tests: `npm test`, or `npx vitest run test/host/session` for some of them. */
import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

const core = ["test/core-wasm/**/*.test.ts", "test/property/**/*.test.ts"];
const host = ["test/host/**/*.test.ts"];

/** Of every project. */
const common = {
  // For hangs only: two test files share a slow machine with all the processes that they start.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // A test that is left `.only` by mistake would hide the others.
  allowOnly: false,
};

export default defineConfig({
  test: {
    // Two even on two cores: most test files of hosts wait more than they compute, and those of the core fill the gaps.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Not among `common`: it runs once, not once for each project.
    globalSetup: "test/setup/build.ts",
    reporters: ["default", "./test/setup/closing-line.ts"],
    coverage: { provider: "v8", include: ["host/**/*.ts"], exclude: ["host/gen/**"], reporter: ["text", "html"] },
    projects: [
      { test: { ...common, name: "core", include: core } },
      { test: { ...common, name: "host", include: host } },
      // Everything else, so that no test file is left out by its place.
      {
        test: {
          ...common,
          name: "repository",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...core, ...host],
        },
      },
    ],
  },
});
