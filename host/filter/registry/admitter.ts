/**
 * Has modules admitted away from the event loop: in a worker, one after the other, each within a time limit.
 *
 * What a stranger's module costs to look at is bounded by the instrumenter, but it is milliseconds of a processor, and what an
 * engine makes of it is not ours to bound. A worker that takes too long is terminated, and the next module gets a new one. A
 * worker that has nothing to do is ended: modules are rare.
 */
import type { Clock } from "../../clock.ts";
import { SluiceError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { AdmissionAnswer, AdmissionRequest, Admitted } from "./admit.ts";
import { manifestFrom } from "./manifest.ts";
import { customSection, MANIFEST_SECTION } from "./sections.ts";

/** A worker, whatever the runtime makes it of. */
export interface WorkerPort {
  post(message: AdmissionRequest): void;
  /** Ends it. Where the runtime cannot stop a thread that computes, fuel does. */
  terminate(): void;
}

/** Starts a worker; it is heard from as often as it answers, or once with what made it fail. */
export type StartWorker = (onAnswer: (answer: AdmissionAnswer) => void, onFailure: (why: string) => void) => WorkerPort;

/** Looks at one module. */
export type Admit = (bytes: Uint8Array) => Promise<Admitted>;

interface Waiting {
  readonly request: AdmissionRequest;
  resolve(admitted: Admitted): void;
  reject(error: SluiceError): void;
}

/**
 * Makes it.
 *
 * @param clock The real clock.
 * @returns Resolves with what the host needs to run the module; rejects with a SluiceError: `module_refused` with every
 *   reason, `rate_limited` where too many wait.
 */
export function createAdmitter(start: StartWorker, clock: Clock): Admit {
  const waiting: Waiting[] = [];
  let present: Waiting | undefined;
  let worker: WorkerPort | undefined;
  let cancelTimer = (): void => {};

  const end = (): void => {
    cancelTimer();
    worker?.terminate();
    worker = undefined;
  };
  const finish = (tell: (one: Waiting) => void): void => {
    cancelTimer();
    const one = present;
    present = undefined;
    if (one !== undefined) tell(one);
    next();
  };
  const fail = (why: string): void => {
    end();
    finish((one) => one.reject(refused([why])));
  };
  const next = (): void => {
    if (present !== undefined) return;
    present = waiting.shift();
    if (present === undefined) return end();
    worker ??= startWorker();
    cancelTimer = clock.setTimer(
      () => fail(`Cannot admit the module within ${limits.filterAdmissionMs} ms`),
      limits.filterAdmissionMs,
    );
    worker.post(present.request);
  };

  const startWorker = (): WorkerPort => {
    // One that could not be stopped may still answer when nobody asks any more.
    const isPresent = (): boolean => worker === mine;
    const mine = start(
      (answer) => {
        if (!isPresent()) return;
        finish((one) => ("admitted" in answer ? one.resolve(answer.admitted) : one.reject(refused(answer.reasons))));
      },
      (why) => {
        if (isPresent()) fail(why);
      },
    );
    return mine;
  };

  return (bytes) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= limits.filterAdmissions) {
        const detail = `Cannot look at another module now, ${waiting.length} wait, limit is ${limits.filterAdmissions}`;
        return reject(
          new SluiceError("rate_limited", detail, { value: waiting.length, limit: limits.filterAdmissions }),
        );
      }
      // The manifest first: it says how much memory the module may have.
      const manifest = manifestFrom(customSection(bytes, MANIFEST_SECTION));
      if (!("reasons" in manifest)) waiting.push({ request: { bytes, manifest }, resolve, reject });
      else {
        // What else is wrong with it is told along.
        const refuse = (others: readonly string[]): void => reject(refused([...manifest.reasons, ...others]));
        const request = { bytes, manifest: undefined };
        waiting.push({ request, resolve: () => refuse([]), reject: ({ reasons = [] }) => refuse(reasons) });
      }
      next();
    });
}

function refused(reasons: readonly string[]): SluiceError {
  const what = reasons.length === 1 ? `: ${reasons[0]}` : `, ${reasons.length} things are wrong with it`;
  return new SluiceError("module_refused", `Cannot take the module${what}`, { reasons });
}
