/**
 * Contents of filter modules: files named by their digest in `filters/` of `--data`. Which of them mean what is in the control
 * state, which is written after a content is there and before one is removed; so what no record names is left over, and goes.
 */
import { readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../errors.ts";
import { digestOf, type FilterStore } from "../filter/registry/registry.ts";
import { codeOf, makeFolder, replaceFile } from "./files.ts";
import type { State } from "./state.ts";

const FOLDER = "filters";
const FILE = /^sha256-[0-9a-f]{64}\.wasm(\.next)?$/;

/**
 * Opens the contents.
 *
 * @param dir `--data`; undefined: contents are kept in memory.
 * @param state Keeps the records.
 */
export function openFilterStore(dir: string | undefined, state: State): FilterStore {
  const contents = dir === undefined ? createMemory() : createFiles(join(dir, FOLDER));
  return {
    ...contents,
    put: (name, record) => (record === undefined ? state.removeFilter(name) : state.putFilter(record)),
    settled: () => state.settled(),
  };
}

type Contents = Pick<FilterStore, "write" | "read" | "remove" | "sweep">;

function createMemory(): Contents {
  const contents = new Map<string, Uint8Array>();
  return {
    async write(digest, bytes) {
      contents.set(digest, bytes);
    },
    async read(digest) {
      const bytes = contents.get(digest);
      if (bytes === undefined) throw unusable(`Cannot find ${digest} in memory`, digest, undefined);
      return bytes;
    },
    async remove(digest) {
      contents.delete(digest);
    },
    async sweep() {},
  };
}

function createFiles(folder: string): Contents {
  const nameOf = (digest: string): string => `${digest.replace(":", "-")}.wasm`;
  return {
    async write(digest, bytes) {
      try {
        await makeFolder(folder);
        await replaceFile(folder, nameOf(digest), bytes);
      } catch (cause) {
        throw unusable(`Cannot write ${join(folder, nameOf(digest))}`, folder, cause);
      }
    },
    async read(digest) {
      const file = join(folder, nameOf(digest));
      let bytes: Uint8Array;
      try {
        bytes = await readFile(file);
      } catch (cause) {
        throw unusable(`Cannot read ${file}`, file, cause);
      }
      if ((await digestOf(bytes)) === digest) return bytes;
      throw unusable(`Cannot use ${file}, it does not have the digest that it is named by`, file, undefined);
    },
    async remove(digest) {
      await unlink(join(folder, nameOf(digest))).catch((cause: unknown) => {
        if (codeOf(cause) !== "ENOENT") throw unusable(`Cannot remove ${join(folder, nameOf(digest))}`, folder, cause);
      });
    },
    async sweep(named) {
      const kept = new Set(Array.from(named, nameOf));
      // Nothing but what was written here goes.
      const found = await readdir(folder).catch(() => []);
      for (const name of found)
        if (FILE.test(name) && !kept.has(name)) await unlink(join(folder, name)).catch(() => undefined);
    },
  };
}

function unusable(message: string, value: string, cause: unknown): SluiceError {
  return new SluiceError("state_unusable", message, { value, cause });
}
