/**
 * Publishes many events over one binary session: batched, with bounded memory, and with a receipt for every one of them.
 */
import type { Problem } from "../gen/sluice/v1/frame_pb.ts";
import type { Target } from "./client.ts";
import { CliError, errorFromProblem, lineFromProblem, type ProblemLike } from "./failure.ts";
import { createFrameReader, publishFrame } from "./frames.ts";
import { type Ending, openSession } from "./session.ts";

/** One event in its binary form, and where it came from. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  /** Line of the input; 0 where there is none. */
  readonly line: number;
}

/** What became of one event. */
export interface Verdict {
  readonly line: number;
  /** Members selected; 0 where nobody wanted it, or it was refused. */
  readonly sinks: number;
  /** Counts the source's events on the channel. */
  readonly sequence: bigint | undefined;
  /** Set when the host refused it. */
  readonly problem: string | undefined;
}

/** An open publisher. */
export interface Publisher {
  /** Takes one event; waits while the window is full. */
  add(event: Outgoing): Promise<void>;
  /** Sends what has gathered: call it when no more input is at hand. */
  flush(): Promise<void>;
  /** Aborted when no more can be published; finish() throws the reason. Being stopped counts. */
  readonly failed: AbortSignal;
  /** Waits until every event has its receipt, then closes. */
  finish(): Promise<void>;
  /** Closes at once. */
  abort(): Promise<void>;
}

/** Small enough that a slow host is felt soon, large enough that frames cost nothing per event. */
const BATCH_BYTES_MAX = 65_536;
const BATCH_EVENTS_MAX = 512;
/** Batches without a receipt yet: half a MiB, far within the first credit a host gives any source. */
const WINDOW_BATCHES = 8;

/**
 * Opens a publisher of one channel.
 *
 * @param onVerdict Called once per event, in order.
 * @throws {CliError} where no session can be opened. Later calls throw when the host refuses a whole batch, or goes away.
 */
export async function openPublisher(
  channel: string,
  target: Target,
  stop: AbortSignal,
  onVerdict: (verdict: Verdict) => void,
): Promise<Publisher> {
  const inFlight = new Map<number, readonly Outgoing[]>();
  let batch: Outgoing[] = [];
  let batchBytes = 0;
  let ref = 0;
  let failure: CliError | undefined;
  const failed = new AbortController();
  let wake: () => void = () => undefined;

  const fail = (reason: CliError): void => {
    failure ??= reason;
    failed.abort();
    wake();
  };
  const read = createFrameReader((frame) => {
    if (frame.kind.case === "receipt") {
      const { ref: answered, results } = frame.kind.value;
      const events = inFlight.get(answered ?? 0) ?? [];
      inFlight.delete(answered ?? 0);
      for (const [index, event] of events.entries()) {
        const result = results[index];
        const problem = result === undefined ? "the receipt does not name it" : problemLine(result.problem);
        onVerdict({ line: event.line, sinks: result?.sinks ?? 0, sequence: result?.sequence, problem });
      }
      wake();
    } else if (frame.kind.case === "problem") {
      // Single events are refused in receipts; this is about a batch or the session, so going on makes no sense.
      fail(errorFromProblem(problemLike(frame.kind.value)));
    }
  });
  const session = await openSession(
    target,
    "sluice.v1.proto",
    {
      onMessage(message) {
        try {
          if (typeof message !== "string") read(message);
        } catch (reason) {
          fail(reason instanceof CliError ? reason : new CliError(String(reason)));
        }
      },
      onEnd: (ending) => fail(errorFromEnding(ending, countOf(inFlight))),
    },
    stop,
  );
  stop.addEventListener("abort", () =>
    fail(new CliError(`stopped with ${countOf(inFlight) + batch.length} events unsent or unanswered`)),
  );

  const until = async (ready: () => boolean): Promise<void> => {
    while (failure === undefined && !ready()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure;
  };
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    await until(() => inFlight.size < WINDOW_BATCHES);
    ref = (ref % 0xffff_ffff) + 1;
    inFlight.set(ref, batch);
    session.send(
      publishFrame(
        channel,
        batch.map((event) => event.bytes),
        ref,
      ),
    );
    batch = [];
    batchBytes = 0;
  };
  return {
    async add(event) {
      if (batchBytes + event.bytes.length > BATCH_BYTES_MAX || batch.length >= BATCH_EVENTS_MAX) await flush();
      batch.push(event);
      batchBytes += event.bytes.length;
      if (failure !== undefined) throw failure;
    },
    flush,
    failed: failed.signal,
    async finish() {
      await flush();
      await until(() => inFlight.size === 0);
      await session.close();
    },
    abort: () => session.close(),
  };
}

function countOf(inFlight: ReadonlyMap<number, readonly Outgoing[]>): number {
  let count = 0;
  for (const events of inFlight.values()) count += events.length;
  return count;
}

function errorFromEnding(ending: Ending, unanswered: number): CliError {
  const told = ending.reason === "" ? `code ${ending.code}` : `${ending.reason}, code ${ending.code}`;
  return new CliError(`the host ended the session (${told}) with ${unanswered} events unanswered`);
}

function problemLine(problem: Problem | undefined): string | undefined {
  return problem === undefined ? undefined : lineFromProblem(problemLike(problem));
}

/** The binary form of a problem in the shape of the JSON one. */
function problemLike(problem: Problem): ProblemLike {
  return {
    code: problem.code,
    title: problem.title,
    ...(problem.detail === "" ? {} : { detail: problem.detail }),
    value: plain(problem.value?.kind),
    limit: plain(problem.limit?.kind),
  };
}

/** Scalars of google.protobuf.Value; lists and structures are not shown on one line. */
function plain(kind: { readonly case: string | undefined; readonly value?: unknown } | undefined): unknown {
  const { value } = kind ?? {};
  return typeof value === "object" ? undefined : value;
}
