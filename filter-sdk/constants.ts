/** Texts that a filter compares with. The host numbers them, so that comparing is comparing numbers. */
import { intern } from "./host";

/** A text known beforehand. */
export class Constant {
  /** The host's number of it, 0: none, its bytes are compared. Of no use to filters. */
  number: u32 = 0;
  /** As UTF-8. */
  readonly bytes: ArrayBuffer;
  constructor(readonly text: string) {
    this.bytes = String.UTF8.encode(text);
  }

  /** Whether it is a text that lies at `at`. */
  equals(at: usize, length: u32): bool {
    return length === <u32>this.bytes.byteLength && memory.compare(at, changetype<usize>(this.bytes), length) === 0;
  }
}

const constants: Constant[] = [];

/** Names a text that attributes, types or sources are compared with. To be called at the top of a file. */
export function constant(text: string): Constant {
  for (let i = 0; i < constants.length; i++) if (constants[i].text === text) return constants[i];
  const made = new Constant(text);
  constants.push(made);
  return made;
}

/** Has the host number them: it does so while a module is initialised, and not before. */
export function internAll(): void {
  for (let i = 0; i < constants.length; i++) {
    const one = constants[i];
    one.number = <u32>intern(changetype<usize>(one.bytes), one.bytes.byteLength);
  }
}
