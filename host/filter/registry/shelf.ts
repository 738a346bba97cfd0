/** The versions of one name: which there are, which is current, and which were before. */
import type { Admitted } from "./admit.ts";
import type { FilterRecord, FilterVersion } from "./registry.ts";

/** Steps that can be taken back. */
const FORMER_MAX = 16;

/** See the head of this file. */
export class Shelf {
  readonly name: string;
  readonly #byDigest = new Map<string, FilterVersion>();
  #newest: number;
  #current = "";
  /** The latest last; each is there, and none follows itself. */
  #former: string[] = [];

  /** @param newest Number of the newest version ever. */
  constructor(name: string, newest: number) {
    this.name = name;
    this.#newest = newest;
  }

  /** How many versions there are. */
  get count(): number {
    return this.#byDigest.size;
  }

  /** What bindings without a digest mean. There is one as soon as one was added. */
  get current(): FilterVersion {
    return this.#byDigest.get(this.#current) as FilterVersion;
  }

  /** Digest of the version that was current before; undefined where there was none. */
  get former(): string | undefined {
    return this.#former.at(-1);
  }

  /** All versions, the oldest first. */
  versions(): FilterVersion[] {
    return [...this.#byDigest.values()];
  }

  get(digest: string): FilterVersion | undefined {
    return this.#byDigest.get(digest);
  }

  /** Whether a version is current, or a step back leads to it. */
  needs({ digest }: FilterVersion): boolean {
    return digest === this.#current || digest === this.former;
  }

  /** Makes a version, which is not on the shelf yet. @param number Absent: the next. */
  version(digest: string, bytes: number, uploadedAt: number, admitted: Admitted, number?: number): FilterVersion {
    const { name } = this;
    const { module, manifest, weight, exports } = admitted;
    const version = number ?? this.#newest + 1;
    const spec = Object.freeze({ name, version, digest, manifest, weight, exports });
    return Object.freeze({ name, version, digest, bytes, uploadedAt, module, spec });
  }

  /** Adds a version and makes it current. */
  add(version: FilterVersion): void {
    this.#newest = Math.max(this.#newest, version.version);
    this.#byDigest.set(version.digest, version);
    this.makeCurrent(version.digest);
  }

  /** Removes a version that is not current. */
  remove(digest: string): void {
    this.#byDigest.delete(digest);
    this.#former = this.#former.filter((one) => one !== digest).filter((one, index, all) => one !== all[index - 1]);
    if (this.former === this.#current) this.#former.pop();
  }

  /** Makes a version current, and the present one the former. */
  makeCurrent(digest: string): void {
    if (digest === this.#current) return;
    if (this.#current !== "") this.#former = [...this.#former, this.#current].slice(-FORMER_MAX);
    this.#current = digest;
  }

  /** Makes the former one current. What it comes from is no step back: two steps lead two versions back. */
  stepBack(): void {
    this.#current = this.#former.pop() ?? this.#current;
  }

  /** What was current and before, as it was kept. Digests that are not there are passed over. */
  restore(current: string, former: readonly string[]): void {
    if (this.#byDigest.has(current)) this.#current = current;
    this.#former = former.filter((digest) => this.#byDigest.has(digest)).slice(-FORMER_MAX);
  }

  /** What is to be kept. */
  record(): FilterRecord {
    const versions = this.versions().map(({ version, digest, uploadedAt }) => ({ version, digest, uploadedAt }));
    return { name: this.name, current: this.#current, former: [...this.#former], newest: this.#newest, versions };
  }
}
