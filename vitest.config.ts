/** Tests: `npm test`, or `npx vitest run test/host/session` for some of them. */
import { configDefaults, defineConfig } from "vitest/config";

const core = ["test/core-wasm/**/*.test.ts", "test/property/**/*.test.ts"];
const host = ["test/host/**/*.test.ts"];

/** Of every project. */
const common = {
  // A hang is told soon; what truly takes longer says so at the test.
  testTimeout: 20_000,
  hookTimeout: 30_000,
  // A test that is left `.only` by mistake would hide the others.
  allowOnly: false,
};

export default defineConfig({
  test: {
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
