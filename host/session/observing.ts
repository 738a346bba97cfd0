/**
 * The contracts that one session observes: `region` frames while it keeps up, and of each contract the newest alone while it does
 * not.
 *
 * A session has fallen behind where its last write is not taken, where its carrier is gone, or where it was told a lot within
 * one turn of the loop. What is put off then leaves before the next write, and says how much is not told.
 */
import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../errors.ts";
import { type HostFrame, HostFrameSchema, RegionSchema } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import { type Ref, refField } from "./frames.ts";
import type { Session } from "./session.ts";
import { OPEN } from "./state.ts";

/** A contract as it is at a moment. */
export interface RegionState {
  readonly path: readonly string[];
  readonly status: "active" | "no_region" | "removed";
  /** Of a transition. */
  readonly handlers?: readonly string[];
  /** What it calls back, with what goes with it. */
  readonly callback?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** A frame that tells of a contract. */
export function regionFrame(contract: string, state: RegionState, ref: Ref, skipped = 0): HostFrame {
  const value = create(RegionSchema, {
    contract,
    path: [...state.path],
    handlers: [...(state.handlers ?? [])],
    callback: state.callback ?? "",
    ...refField(ref),
    status: state.status === "active" ? "" : state.status,
    skipped,
    ...(state.data === undefined ? {} : { data: state.data as JsonObject }),
  });
  return create(HostFrameSchema, { kind: { case: "region", value } });
}

/** See the head of this file. */
export class Observing {
  readonly #session: Session;
  /** What ends each observation, by contract. */
  readonly #ends = new Map<string, () => void>();
  /** The newest of what is put off, by contract; those that waited longest first. */
  readonly #waiting = new Map<string, { readonly state: RegionState; readonly skipped: number }>();
  /** The turn of the loop in which it was told last, and how much. */
  #turn = -1;
  #toldBytes = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Observes a contract; one that is observed already goes on so.
   *
   * @throws {SluiceError} `contract_unknown`, `limit_reached`.
   */
  add(contract: string): void {
    if (this.#ends.has(contract)) return;
    if (this.#ends.size >= limits.contractsObserved)
      throw new SluiceError(
        "limit_reached",
        `Cannot observe contract "${contract}", this session observes ${this.#ends.size}, limit is ${limits.contractsObserved}`,
        { value: contract, limit: limits.contractsObserved },
      );
    const end = this.#session.engine.regions.add(contract, {
      moved: (state) => this.#tell(contract, state),
      ended: () => {
        this.#ends.delete(contract);
        this.#tell(contract, { path: [], status: "removed" });
      },
    });
    this.#ends.set(contract, end);
  }

  /** Observes a contract no more. What is put off of it is not told. */
  remove(contract: string): void {
    this.#ends.get(contract)?.();
    this.#ends.delete(contract);
    this.#waiting.delete(contract);
  }

  /** The session is over. */
  end(): void {
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
    this.#waiting.clear();
  }

  /** Tells what was put off, as much of it as one write takes. Called before something is written. */
  before(): void {
    if (this.#waiting.size === 0 || this.#session.state !== OPEN) return;
    for (const [contract, { state, skipped }] of this.#waiting) {
      if (!this.#hasRoom()) return this.#session.engine.flusher.ready(this.#session);
      this.#waiting.delete(contract);
      this.#say(regionFrame(contract, state, undefined, skipped));
    }
  }

  #tell(contract: string, state: RegionState): void {
    const session = this.#session;
    const waiting = this.#waiting.get(contract);
    const isBehind = session.state !== OPEN || session.writing || this.#waiting.size > 0;
    if (!isBehind && this.#hasRoom()) {
      this.#say(regionFrame(contract, state, undefined));
      session.engine.flusher.schedule();
      return;
    }
    this.#waiting.set(contract, { state, skipped: waiting === undefined ? 0 : waiting.skipped + 1 });
    session.engine.flusher.ready(session);
  }

  #hasRoom(): boolean {
    const turn = this.#session.engine.counters.flushes;
    if (turn !== this.#turn) this.#toldBytes = 0;
    this.#turn = turn;
    return this.#toldBytes < limits.regionsBytes;
  }

  #say(frame: HostFrame): void {
    this.#toldBytes += toBinary(HostFrameSchema, frame).length;
    this.#session.answer(frame);
  }
}
