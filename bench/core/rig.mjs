// A core with connections, channels and members, driven as a host drives it: what the suites inside one process share.
import { encodeRoutes } from "../route/encode.mjs";
import { loadAbi, loadCompiler, openCore, stage } from "./core.mjs";

/** The service clock of every call: nothing here depends on the time. */
const NOW = 1e12;

/** @returns {Promise<(room?: { memoryBytes?: number, storeBytes?: number }) => Rig>} Makes rigs, each with a core of its own. */
export async function rigMaker() {
  const [abi, compile] = await Promise.all([loadAbi(), loadCompiler()]);
  return (room) => new Rig(abi, compile, room);
}

/** What a sink wants: a use of a program, and the only type. @typedef {{ where?: number, type?: string }} Wants */

export class Rig {
  #compile;
  #memory;
  /** What lies where arguments are read. @type {string | Uint8Array} */
  #staged = "";
  #results;
  #abi;
  #landing;
  #reason;
  #done;

  /** @param {import('./core.mjs').Abi} abi @param {(expression: string) => Uint8Array} compile @param {{ memoryBytes?: number, storeBytes?: number }} [room] */
  constructor(abi, compile, room) {
    this.#abi = abi;
    // What every batch asks for: a constant that is looked up each time would be measured, too.
    this.#landing = this.constant("LANDING_OFFSET");
    this.#reason = this.constant("RESULT_REASON");
    this.#done = this.constant("REASON_DONE");
    this.#compile = compile;
    this.core = openCore(abi, room);
    this.#memory = new Uint8Array(this.core.memory.buffer);
    this.#results = new Uint32Array(
      this.core.memory.buffer,
      this.constant("RESULT_OFFSET"),
      this.constant("RESULT_BYTES") / 4,
    );
  }

  /** @param {string} name @returns {number} A constant of the ABI. @throws {Error} Where it has none of that name. */
  constant(name) {
    return /** @type {number} */ (this.#abi[name]);
  }

  /** Puts an argument where the core reads it. @param {string | Uint8Array} content @returns {[at: number, bytes: number]} */
  stage(content) {
    this.#staged = content;
    return [this.constant("STAGE_OFFSET"), stage(this.core, this.#abi, content)];
  }

  /** A word of the last call's results. @param {string} name "RESULT_STATUS", say. @returns {number} */
  result(name) {
    return /** @type {number} */ (this.#results[this.constant(name)]);
  }

  /** @returns {number} A connection with binary frames. */
  open() {
    return this.#made("connectionOpen()", this.core.connectionOpen(0, ...this.stage("/bench/1")));
  }

  /** @param {string} name @param {number} [flags] CHANNEL_… bits; echo unless said. @returns {number} */
  channel(name, flags = this.constant("CHANNEL_ECHO")) {
    return this.#made("channelAdd()", this.core.channelAdd(...this.stage(name), flags));
  }

  /** Compiles an expression and gives it to the core. @param {string} expression @returns {number} A use of the program. */
  program(expression) {
    return this.add(this.#compile(expression));
  }

  /** @param {string} expression @returns {Uint8Array} */
  compile(expression) {
    return this.#compile(expression);
  }

  /** @param {Uint8Array} program @returns {number} A use of it. */
  add(program) {
    return this.#made("expressionAdd()", this.core.expressionAdd(...this.stage(program)));
  }

  /** @param {number} connection @param {number} channel @returns {number} The member. */
  source(connection, channel) {
    return this.#made("memberAdd()", this.core.memberAdd(connection, channel, this.constant("ROLE_SOURCE")));
  }

  /** @param {number} connection @param {number} channel @param {Wants} [wants] @returns {number} The member. */
  sink(connection, channel, { where = 0, type } = {}) {
    const member = this.#made("memberAdd()", this.core.memberAdd(connection, channel, this.constant("ROLE_SINK")));
    if (where !== 0) this.where(member, where);
    if (type === undefined) return member;
    // A list of one: u16 length, then the bytes.
    const [at] = this.stage(`${String.fromCharCode(type.length, 0)}${type}`);
    this.#held("memberTypes()", this.core.memberTypes(member, at, 1));
    return member;
  }

  /** @param {number} member @param {number} program */
  where(member, program) {
    this.#held("memberWhere()", this.core.memberWhere(member, program));
  }

  /** Routes that every event of a channel passes. @param {number} channel @param {'out' | 'in'} stage @param {readonly import('../route/encode.mjs').Route[]} routes None: the stage is empty again. */
  bind(channel, stage, routes) {
    const which = this.constant(stage === "out" ? "STAGE_OUT" : "STAGE_IN");
    if (routes.length === 0) {
      this.#held("channelRoutes()", this.core.channelRoutes(channel, which, 0));
      return;
    }
    const bytes = encodeRoutes((name) => this.constant(name), routes);
    const handle = this.#made("routesAdd()", this.core.routesAdd(...this.stage(bytes)));
    this.#held("channelRoutes()", this.core.channelRoutes(channel, which, handle));
  }

  /** The channel flag that has every sink's expression run for every event, 0 where the core has none. */
  get scanned() {
    return "CHANNEL_SCANNED" in this.#abi ? this.constant("CHANNEL_SCANNED") : 0;
  }

  /** Takes whole frames of a connection, as read from its socket. @param {number} connection @param {Uint8Array} frames At most LANDING_BYTES. */
  ingest(connection, frames) {
    this.#memory.set(frames, this.#landing);
    const taken = this.core.ingest(connection, this.#landing, frames.length, NOW);
    if (taken !== frames.length || this.#results[this.#reason] !== this.#done)
      throw new Error(
        `ingest() took ${taken} of ${frames.length} bytes, reason ${this.result("RESULT_REASON")}, status ${this.result("RESULT_STATUS")}`,
      );
  }

  /**
   * Lays frames of many connections out where hosts lay theirs, so that taking one is one call and no copy.
   *
   * @param {readonly (readonly { connection: number, frame: Uint8Array }[])[]} groups At most STAGE_BYTES together.
   * @returns {(group: number) => void} Takes the frames of one group, counted around.
   */
  prepared(groups) {
    let at = this.constant("STAGE_OFFSET");
    const bytes = Buffer.concat(groups.flat().map(({ frame }) => frame));
    const placed = groups.map((group) =>
      group.map(({ connection, frame }) => {
        at += frame.length;
        return { connection, at: at - frame.length, bytes: frame.length };
      }),
    );
    const [reason, done] = [this.#reason, this.#done];
    return (group) => {
      if (this.#staged !== bytes) this.stage(bytes);
      for (const one of placed[group % placed.length] ?? []) {
        this.core.ingest(one.connection, one.at, one.bytes, NOW);
        if (this.#results[reason] !== done) throw new Error(`ingest() answers reason ${this.#results[reason]}`);
      }
    };
  }

  /** Sends everything that waits for anybody. @returns {number} Deliveries. */
  drain() {
    const dirtyAt = this.constant("DIRTY_OFFSET") >> 2;
    let deliveries = 0;
    for (let count = this.core.dirtyTake(); count > 0; count = this.core.dirtyTake()) {
      const dirty = new Uint32Array(this.core.memory.buffer).slice(dirtyAt, dirtyAt + count);
      for (const connection of dirty) deliveries += this.drainOne(connection);
    }
    return deliveries;
  }

  /** Sends what waits for one connection. @param {number} connection @returns {number} Deliveries. */
  drainOne(connection) {
    let deliveries = 0;
    const [out, most] = [this.constant("OUT_OFFSET"), this.constant("OUT_SLOT_BYTES")];
    while (this.core.drain(connection, out, most, NOW) > 0) deliveries += this.result("RESULT_DELIVERIES");
    return deliveries;
  }

  /** @returns {number} Bytes of pages in use. */
  usedBytes() {
    return this.core.statistic(this.constant("STATISTIC_PAGES_USED")) * this.constant("PAGE_BYTES");
  }

  /** @param {string} call @param {number} handle */
  #made(call, handle) {
    if (handle === 0) throw new Error(`${call} refuses with status ${this.result("RESULT_STATUS")}`);
    return handle;
  }

  /** @param {string} call @param {number} status */
  #held(call, status) {
    if (status !== this.constant("STATUS_OK")) throw new Error(`${call} answers status ${status}`);
  }
}
