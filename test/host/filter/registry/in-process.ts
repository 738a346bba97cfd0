/** A registry without workers and without a disk: modules are looked at where they are. */
import { createClocks } from "../../../../host/clock.ts";
import { admit } from "../../../../host/filter/registry/admit.ts";
import { createAdmitter, type StartWorker } from "../../../../host/filter/registry/admitter.ts";
import { FilterRegistry, type FilterStore } from "../../../../host/filter/registry/registry.ts";

/** What stands in for a worker. */
export const inProcess: StartWorker = (onAnswer) => ({
  post: (request) => void admit(request).then(onAnswer),
  terminate() {},
});

/** Keeps contents and records in maps that a test may look into. */
export interface MemoryStore extends FilterStore {
  readonly contents: Map<string, Uint8Array>;
  readonly records: Map<string, unknown>;
}

/** Makes a store. */
export function memoryStore(): MemoryStore {
  const contents = new Map<string, Uint8Array>();
  const records = new Map<string, unknown>();
  return {
    contents,
    records,
    write: async (digest, bytes) => void contents.set(digest, bytes),
    read: async (digest) => contents.get(digest) ?? Promise.reject(new Error(`There is no ${digest}`)),
    remove: async (digest) => void contents.delete(digest),
    sweep: async () => {},
    put: (name, record) => void (record === undefined ? records.delete(name) : records.set(name, record)),
    settled: async () => {},
  };
}

/** Makes a registry. */
export function createTestRegistry(store: FilterStore = memoryStore(), start: StartWorker = inProcess): FilterRegistry {
  const { real } = createClocks();
  return new FilterRegistry({ admit: createAdmitter(start, real), store, now: () => real.now() });
}
