/**
 * The filter modules of a host: uploaded under a name, admitted, kept by digest, and switched between versions.
 *
 * A name has versions, numbered from 1 in the order in which their content was first seen, and one of them is *current*:
 * what bindings without a digest mean. Uploading content that is known makes its version current again, so that a PUT of the
 * same body always ends in the same state.
 */
import { SluiceError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ModuleSpec } from "../module/spec.ts";
import type { Stage } from "../schema.ts";
import type { Admit } from "./admitter.ts";
import { type FilterLogLine, LogRing } from "./log-ring.ts";
import { Shelf } from "./shelf.ts";
import { type FilterNameView, type FilterVersionView, versionView } from "./view.ts";

/** A version that can run. */
export interface FilterVersion {
  readonly name: string;
  /** Counts the contents of its name, from 1. */
  readonly version: number;
  /** `sha256:` and the SHA-256 of the uploaded bytes in hex. */
  readonly digest: string;
  /** Uploaded, custom sections included. */
  readonly bytes: number;
  /** When it was first uploaded, ms since 1970. */
  readonly uploadedAt: number;
  /** Instrumented. */
  readonly module: WebAssembly.Module;
  readonly spec: ModuleSpec;
}

/** What is kept of a name between two starts; its contents lie beside. */
export interface FilterRecord {
  readonly name: string;
  /** Digest of the current version. */
  readonly current: string;
  /** Digests of those that were current before, the latest last. */
  readonly former: readonly string[];
  /** Number of the newest version ever: numbers do not come again. */
  readonly newest: number;
  readonly versions: readonly Pick<FilterVersion, "version" | "digest" | "uploadedAt">[];
}

/** Keeps contents and records. All of it is bounded by the registry. */
export interface FilterStore {
  /** Keeps a content before a record names it. @throws {SluiceError} `state_unusable`. */
  write(digest: string, bytes: Uint8Array): Promise<void>;
  /** A content that was kept. @throws {SluiceError} `state_unusable` where it is not there, or another. */
  read(digest: string): Promise<Uint8Array>;
  /** Forgets a content that no record names any more. */
  remove(digest: string): Promise<void>;
  /** Forgets all contents but these. */
  sweep(named: Iterable<string>): Promise<void>;
  /** Keeps a record; undefined forgets the name. */
  put(name: string, record: FilterRecord | undefined): void;
  /** Resolves when all records are kept. */
  settled(): Promise<void>;
}

/** Where a module is bound, for whoever wants to delete it. */
export interface FilterUse {
  /** Such as `out filter of channel jobs`. */
  readonly where: string;
  readonly stage: Stage;
  readonly module: string;
  /** Undefined: whichever is current. */
  readonly digest: string | undefined;
}

/** What {@link FilterRegistry} takes. */
export interface RegistrySettings {
  readonly admit: Admit;
  readonly store: FilterStore;
  /** The moment, ms since 1970. */
  readonly now: () => number;
}

/** What changed about a name, told after it did. */
export type RevisionListener = (name: string) => void;

/** See the head of this file. */
export class FilterRegistry {
  /** Who has modules bound; set by whoever knows. */
  uses: () => Iterable<FilterUse> = () => [];
  /** How many of those who run a version are not among the uses, such as sources that brought it; set by whoever knows. */
  running: (name: string, digest: string) => number = () => 0;
  readonly #settings: RegistrySettings;
  readonly #shelves = new Map<string, Shelf>();
  readonly #logs = new Map<string, LogRing>();
  readonly #listeners = new Set<RevisionListener>();
  /** Changes are made one after the other: each waits for the disk. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: RegistrySettings) {
    this.#settings = settings;
  }

  /** Current versions by name, in no order. */
  list(): FilterVersion[] {
    return Array.from(this.#shelves.values(), (shelf) => shelf.current);
  }

  /** All versions of a name, in no order; none where it is unknown. */
  versions(name: string): readonly FilterVersion[] {
    return this.#shelves.get(name)?.versions() ?? [];
  }

  /** A version, the current one where no digest is given. */
  resolve(name: string, digest?: string): FilterVersion | undefined {
    const shelf = this.#shelves.get(name);
    return digest === undefined ? shelf?.current : shelf?.get(digest);
  }

  /** The same. @throws {SluiceError} `filter_unknown`. */
  get(name: string, digest?: string): FilterVersion {
    const found = this.resolve(name, digest);
    if (found !== undefined) return found;
    const known = this.#shelves.get(name);
    if (known === undefined)
      throw new SluiceError("filter_unknown", `Cannot find a filter module "${name}"`, { value: name });
    throw new SluiceError("filter_unknown", `Cannot find ${digest} among the versions of "${name}"`, {
      value: digest,
      limit: known.current.digest,
    });
  }

  /** The version that a binding means. @throws {SluiceError} `filter_unknown`, `invalid_value` for a hook that it lacks. */
  bindable(name: string, digest: string | undefined, stage: Stage): FilterVersion {
    const version = this.get(name, digest);
    const { hooks } = version.spec.manifest;
    if (hooks.includes(stage)) return version;
    throw new SluiceError(
      "invalid_value",
      `Cannot bind "${name}" as ${stage} filter, its version ${version.version} has no such hook`,
      {
        value: stage,
        limit: hooks,
      },
    );
  }

  /** The uploaded bytes of a version. @throws {SluiceError} `filter_unknown`, `state_unusable`. */
  content(name: string, digest: string): Promise<Uint8Array> {
    return this.#settings.store.read(this.get(name, digest).digest);
  }

  /**
   * Takes a module, and makes it the current version of its name.
   *
   * @param bytes Copied before anything else is done: whoever changes them later changes nothing here.
   * @param assertMay Called in the turn of the change, with what is current; throws to prevent it.
   * @returns Whether its content is new to this name.
   * @throws {SluiceError} `module_refused` with every reason, `limit_reached`, `rate_limited`, `state_unusable`;
   *   `filter_in_use` where it lacks a hook that a binding of the current version needs.
   */
  async put(
    name: string,
    bytes: Uint8Array,
    assertMay: (present: FilterVersion | undefined) => void = () => {},
  ): Promise<{ readonly created: boolean; readonly version: FilterVersion }> {
    const content = bytes.slice();
    const digest = await digestOf(content);
    const known = this.resolve(name, digest);
    // Looked at before the turn: a name that is being changed does not wait for somebody else's module.
    const admitted = known === undefined ? await this.#settings.admit(content) : undefined;
    return this.#inTurn(async () => {
      assertMay(this.resolve(name));
      const present = this.resolve(name, digest);
      if (present !== undefined) {
        this.#makeCurrent(present);
        await this.#settings.store.settled();
        return { created: false, version: present };
      }
      if (admitted === undefined)
        throw new SluiceError("filter_unknown", `Cannot find ${digest} any more, it was just removed`, {
          value: digest,
        });
      const shelf = this.#shelves.get(name) ?? this.#newShelf(name);
      const version = shelf.version(digest, content.length, this.#settings.now(), admitted);
      const prepare = (): readonly FilterVersion[] => {
        this.#assertServes(version);
        return this.#roomFor(shelf, content.length);
      };
      prepare();
      await this.#settings.store.write(digest, content);
      let evicted: readonly FilterVersion[];
      try {
        // Something may have been bound while the disk was busy. From here on nothing is awaited until all is changed.
        evicted = prepare();
      } catch (thrown) {
        await this.#forget([version]);
        throw thrown;
      }
      for (const one of evicted) shelf.remove(one.digest);
      shelf.add(version);
      this.#shelves.set(name, shelf);
      this.#keep(shelf);
      this.#tell(name);
      await this.#settings.store.settled();
      await this.#forget(evicted);
      return { created: true, version };
    });
  }

  /**
   * Makes another version current, at once; {@link FilterStore.settled} says when that is kept.
   *
   * @throws {SluiceError} `filter_unknown`; `filter_in_use` where it lacks a hook that a binding needs.
   */
  switchTo(name: string, digest: string): FilterVersion {
    const version = this.get(name, digest);
    this.#makeCurrent(version);
    return version;
  }

  /**
   * Makes the version current again that was so before; the one that it leaves is no step back: two steps lead two back.
   *
   * @param reason For the log of the module; in it goes who noticed that it is needed.
   * @returns Undefined where there was none before, or it lacks a hook that a binding needs.
   */
  rollback(name: string, reason: string): FilterVersion | undefined {
    const shelf = this.#shelves.get(name);
    const former = shelf?.former === undefined ? undefined : shelf.get(shelf.former);
    if (shelf === undefined || former === undefined || this.#lacking(former) !== undefined) return undefined;
    const { version } = shelf.current;
    shelf.stepBack();
    this.log(name, { level: "warn", version, text: `Rolled back to version ${shelf.current.version}: ${reason}` });
    this.#keep(shelf);
    this.#tell(name);
    return shelf.current;
  }

  /**
   * Makes another version current, as {@link switchTo}, or the one that was so before.
   *
   * @throws {SluiceError} `filter_unknown`, also where none was current before; `filter_in_use` where it lacks a hook that a
   *   binding needs.
   */
  goBack(name: string, digest?: string): FilterVersion {
    if (digest !== undefined) return this.switchTo(name, digest);
    const { version } = this.get(name);
    const { former } = this.#shelves.get(name) as Shelf;
    if (former !== undefined) this.#assertServes(this.get(name, former));
    const back = this.rollback(name, "asked for");
    if (back !== undefined) return back;
    throw new SluiceError(
      "filter_unknown",
      `Cannot roll back "${name}", no version was current before version ${version}`,
      { value: name },
    );
  }

  /**
   * Removes a version.
   *
   * @throws {SluiceError} `filter_unknown`; `filter_in_use` where it is bound, or is current while others are there.
   */
  removeVersion(name: string, digest: string, assertMay: (present: FilterVersion) => void = () => {}): Promise<void> {
    return this.#inTurn(async () => {
      const version = this.get(name, digest);
      assertMay(version);
      this.#assertUnused(version);
      const shelf = this.#shelves.get(name) as Shelf;
      if (shelf.count === 1) return this.#removeShelf(shelf);
      if (shelf.current === version) {
        throw new SluiceError(
          "filter_in_use",
          `Cannot remove version ${version.version} of "${name}", it is the current one; make another current first`,
          { value: name, limit: ["current"] },
        );
      }
      shelf.remove(digest);
      this.#keep(shelf);
      await this.#settings.store.settled();
      await this.#forget([version]);
    });
  }

  /** Removes a name with all its versions. @throws {SluiceError} `filter_unknown`, `filter_in_use`. */
  remove(name: string, assertMay: (present: FilterVersion) => void = () => {}): Promise<void> {
    return this.#inTurn(async () => {
      assertMay(this.get(name));
      for (const version of this.versions(name)) this.#assertUnused(version);
      await this.#removeShelf(this.#shelves.get(name) as Shelf);
    });
  }

  /** Where a version is bound. */
  *usesOf(version: FilterVersion): Generator<string> {
    for (const { where, module, digest } of this.uses())
      if (module === version.name && this.resolve(module, digest) === version) yield where;
  }

  /** What is shown of a version. */
  view(version: FilterVersion): FilterVersionView {
    return versionView(version, this.resolve(version.name) === version);
  }

  /** What is shown of a name, by its current version. @throws {SluiceError} `filter_unknown`. */
  viewOfName(name: string): FilterNameView {
    const all = this.versions(name);
    const uses: string[] = [];
    for (const one of all) for (const where of this.usesOf(one)) if (uses.length < limits.filterUses) uses.push(where);
    return { ...this.view(this.get(name)), versions: all.length, uses };
  }

  /** Hears of names whose current version is another now, or that are gone. Returns what ends that. */
  onRevision(listener: RevisionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Notes a line that a module said, or that is said of it. The last ones are kept while the host runs. */
  log(name: string, line: Omit<FilterLogLine, "at">): void {
    if (this.#shelves.has(name)) this.#logOf(name).add({ at: this.#settings.now(), ...line });
  }

  /** What was noted, the oldest first. @throws {SluiceError} `filter_unknown`. */
  lines(name: string): readonly FilterLogLine[] {
    this.get(name);
    return this.#logOf(name).lines();
  }

  /**
   * Admits again what was kept. To be called once, before anything is bound.
   *
   * @throws {SluiceError} `state_unusable` naming the module that is not there any more, or that cannot run any more.
   */
  async restore(records: Iterable<FilterRecord>): Promise<void> {
    for (const record of records) {
      const shelf = new Shelf(record.name, record.newest);
      for (const { digest, version, uploadedAt } of record.versions) {
        const content = await this.#settings.store.read(digest);
        const admitted = await this.#settings.admit(content).catch((cause: Error) => {
          const what = `version ${version} of the filter module "${record.name}"`;
          throw new SluiceError("state_unusable", `Cannot use ${what} as it was kept: ${cause.message}`, {
            value: digest,
            cause,
          });
        });
        shelf.add(shelf.version(digest, content.length, uploadedAt, admitted, version));
      }
      shelf.restore(record.current, record.former);
      this.#shelves.set(record.name, shelf);
    }
    const named = Array.from(this.#shelves.values()).flatMap((shelf) => shelf.versions().map(({ digest }) => digest));
    await this.#settings.store.sweep(named);
  }

  #newShelf(name: string): Shelf {
    const limit = limits.filters;
    if (this.#shelves.size < limit) return new Shelf(name, 0);
    throw new SluiceError(
      "limit_reached",
      `Cannot take another filter module, this host has ${limit}, limit is ${limit}`,
      {
        value: name,
        limit,
      },
    );
  }

  /** Versions that have to go for a new one: the oldest that nobody needs. @throws {SluiceError} `limit_reached`. */
  #roomFor(shelf: Shelf, bytes: number): readonly FilterVersion[] {
    const limit = limits.filterVersions;
    const evicted: FilterVersion[] = [];
    if (shelf.count >= limit) {
      const idle = shelf.versions().filter((one) => !shelf.needs(one) && this.usesOf(one).next().done === true);
      const [oldest] = idle.sort((one, other) => one.version - other.version);
      if (oldest === undefined)
        throw new SluiceError(
          "limit_reached",
          `Cannot take another version of "${shelf.name}", all ${limit} are in use`,
          {
            value: shelf.name,
            limit,
          },
        );
      evicted.push(oldest);
    }
    let total = bytes;
    for (const one of this.#shelves.values()) for (const version of one.versions()) total += version.bytes;
    for (const one of evicted) total -= one.bytes;
    if (total > limits.filterBytes)
      throw new SluiceError(
        "limit_reached",
        `Cannot keep ${bytes} bytes more, all versions would have ${total}, limit is ${limits.filterBytes}; remove some`,
        { value: total, limit: limits.filterBytes },
      );
    return evicted;
  }

  /** A binding of whichever version is current that could not go on with this one. */
  #lacking({ name, spec }: FilterVersion): FilterUse | undefined {
    for (const use of this.uses())
      if (use.module === name && use.digest === undefined && !spec.manifest.hooks.includes(use.stage)) return use;
    return undefined;
  }

  #assertServes(version: FilterVersion): void {
    const lacking = this.#lacking(version);
    if (lacking === undefined) return;
    const { where, stage } = lacking;
    throw new SluiceError(
      "filter_in_use",
      `Cannot make it current, it has no hook "${stage}" and "${version.name}" is bound as ${where}`,
      {
        value: version.name,
        limit: [where],
      },
    );
  }

  #assertUnused(version: FilterVersion): void {
    const found: string[] = [];
    for (const where of this.usesOf(version)) if (found.push(where) >= limits.filterUses) break;
    const running = this.running(version.name, version.digest);
    if (found.length === 0 && running > 0) found.push(`filter of ${running} sources`);
    if (found.length === 0) return;
    throw new SluiceError(
      "filter_in_use",
      `Cannot remove version ${version.version} of "${version.name}", it is bound as ${found[0]}`,
      { value: version.name, limit: found },
    );
  }

  #makeCurrent(version: FilterVersion): void {
    const shelf = this.#shelves.get(version.name) as Shelf;
    if (shelf.current === version) return;
    this.#assertServes(version);
    shelf.makeCurrent(version.digest);
    this.#keep(shelf);
    this.#tell(version.name);
  }

  async #removeShelf(shelf: Shelf): Promise<void> {
    const { name } = shelf;
    this.#shelves.delete(name);
    this.#logs.delete(name);
    this.#settings.store.put(name, undefined);
    this.#tell(name);
    await this.#settings.store.settled();
    await this.#forget(shelf.versions());
  }

  #keep(shelf: Shelf): void {
    this.#settings.store.put(shelf.name, shelf.record());
  }

  /** Contents go after the records that name them; other names may have the same. */
  async #forget(versions: readonly FilterVersion[]): Promise<void> {
    for (const { digest } of versions) {
      const isNamed = Array.from(this.#shelves.values()).some((shelf) => shelf.get(digest) !== undefined);
      if (!isNamed) await this.#settings.store.remove(digest);
    }
  }

  #logOf(name: string): LogRing {
    const present = this.#logs.get(name);
    if (present !== undefined) return present;
    const made = new LogRing(limits.filterLogLines);
    this.#logs.set(name, made);
    return made;
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** The registry of a host. @throws {SluiceError} `not_supported` where it has none. */
export function filtersOf(filters: FilterRegistry | undefined): FilterRegistry {
  if (filters !== undefined) return filters;
  throw new SluiceError(
    "not_supported",
    "Cannot take filter modules, this runtime does not compile them while it runs",
    {
      value: "filters.upload",
    },
  );
}

/** The digest of a content. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
  return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
