import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertNode, install, isInstalled } from "../../scripts/lib/install.mjs";

describe("assertNode()", () => {
  test.each(["20.19.0", "20.20.2", "22.0.0", "24.21.0"])("accepts %s for >=20.19", (version) => {
    expect(() => assertNode(version, ">=20.19")).not.toThrow();
  });

  test.each(["18.20.4", "20.18.3", "8.0.0"])("refuses %s for >=20.19 and names both", (version) => {
    expect(() => assertNode(version, ">=20.19")).toThrow(`Sluice needs Node >=20.19, this is ${version}`);
  });
});

describe("isInstalled()", () => {
  const one = { version: "1.0.0", integrity: "sha512-a" };
  test.each([
    { name: "equal", lock: { "": {}, "node_modules/a": one }, found: { "node_modules/a": one }, want: true },
    { name: "a package is missing", lock: { "node_modules/a": one }, found: {}, want: false },
    {
      name: "another version",
      lock: { "node_modules/a": one },
      found: { "node_modules/a": { ...one, version: "1.0.1" } },
      want: false,
    },
    {
      name: "the same version with other content",
      lock: { "node_modules/a": one },
      found: { "node_modules/a": { ...one, integrity: "sha512-b" } },
      want: false,
    },
    {
      name: "another platform's binary is missing",
      lock: { "node_modules/a": { ...one, optional: true } },
      found: {},
      want: true,
    },
    { name: "more than is asked for", lock: {}, found: { "node_modules/a": one }, want: true },
  ])("is $want where $name", ({ lock, found, want }) => {
    expect(isInstalled({ packages: lock }, { packages: found })).toBe(want);
  });
});

describe("install()", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-install-"));
    const root = { name: "empty", version: "1.0.0" };
    writeFileSync(join(folder, "package.json"), JSON.stringify(root));
    const lock = { ...root, lockfileVersion: 3, requires: true, packages: { "": root } };
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("runs npm ci once and leaves it until the lock file changes", async () => {
    expect(await install(folder)).toBe(true);
    expect(existsSync(join(folder, "node_modules", ".sluice-stamp"))).toBe(true);
    expect(await install(folder)).toBe(false);
  });

  test("takes packages that npm itself has installed", async () => {
    mkdirSync(join(folder, "node_modules"));
    writeFileSync(join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages: {} }));
    expect(await install(folder)).toBe(false);
  });

  test("fails with the words of npm where package.json and the lock file disagree", async () => {
    mkdirSync(join(folder, "near"));
    writeFileSync(join(folder, "near", "package.json"), JSON.stringify({ name: "near", version: "1.0.0" }));
    const dependencies = { near: "file:near" };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "empty", version: "1.0.0", dependencies }));
    await expect(install(folder)).rejects.toThrow(
      /Cannot install packages: npm ci failed with exit code 1[\s\S]*lock file/,
    );
    expect(existsSync(join(folder, "node_modules", ".sluice-stamp"))).toBe(false);
  });

  test("says that the network is needed where the registry does not answer", async () => {
    const name = "sluice-no-such-package";
    const root = { name: "empty", version: "1.0.0", dependencies: { [name]: "1.0.0" } };
    // Port 9 (discard) of this machine: refused at once, without leaving it.
    writeFileSync(join(folder, ".npmrc"), "registry=http://127.0.0.1:9/\nfetch-retries=0\n");
    writeFileSync(join(folder, "package.json"), JSON.stringify(root));
    const packages = {
      "": root,
      [`node_modules/${name}`]: { version: "1.0.0", integrity: `sha512-${"A".repeat(86)}==` },
    };
    writeFileSync(
      join(folder, "package-lock.json"),
      JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }),
    );
    await expect(install(folder)).rejects.toThrow("the npm registry does not answer");
  });
});
