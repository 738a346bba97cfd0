/**
 * The fast way in for publishes over HTTP: native events by POST, without objects of the Fetch API in between, which cost
 * more than all that is done with the event.
 *
 * It takes what is plainly a publish and leaves everything else to the app, as the fast way of JSON does: other media types,
 * idempotency keys, receipts, and bodies that are not plainly events, so that what is wrong is said in one place. What it
 * takes passes the same gate and is counted the same.
 */
import { isChannelName } from "../channel/definition.ts";
import { type SluiceError, sluiceErrorFrom } from "../errors.ts";
import { createFastBodyReader } from "../socket/json/body.ts";
import type { Gate } from "./gate.ts";
import { problemAnswer } from "./problem.ts";
import { publishedText } from "./results.ts";
import type { ControlService } from "./service.ts";

/** A request as a runtime has it before it is an object of the Fetch API. */
export interface PlainRequest {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  /** Address of the client. */
  readonly client: string | undefined;
  /** A field by its name in lower case. */
  header(name: string): string | undefined;
}

/** The fast way; a runtime asks it before it makes a Request. */
export interface FastPublish {
  /**
   * Looks at the head of a request.
   *
   * @returns How many bytes of body are to be read for {@link answer}; -1: the app takes this request.
   */
  bodyBytes(request: PlainRequest): number;
  /**
   * Publishes.
   *
   * @param body As many bytes as bodyBytes() said.
   * @returns undefined: nothing was done, the app takes this request with this body.
   */
  answer(request: PlainRequest, body: Uint8Array): FastAnswer | undefined;
}

/** What the fast way answers. */
export interface FastAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** What the fast way is made of. */
export interface FastPublishSettings {
  readonly service: ControlService;
  readonly gate: Gate;
  /** Counts an answer by its status. */
  readonly countAnswer: (status: number) => void;
  /** Of a body. */
  readonly bytesMax: number;
  /** Hears of faults of ours. */
  readonly onFault: (error: unknown, requestId: string) => void;
}

const pathPattern = /^\/v1\/channels\/([^/?#]+)\/events$/;
const lengthPattern = /^\d{1,9}$/;
/** Fields that ask for more than this way knows. */
const others = ["idempotency-key", "ce-specversion", "ce-id", "content-encoding", "transfer-encoding"];

/** Makes the fast way of an app. */
export function createFastPublish(settings: FastPublishSettings): FastPublish {
  const { service, gate, countAnswer, bytesMax, onFault } = settings;
  const read = createFastBodyReader();
  const former = { target: "", name: "" };
  /** A client publishes to the same channel again and again. */
  const nameOf = (target: string): string | undefined => {
    if (target === former.target) return former.name;
    const name = nameFrom(target);
    if (name !== undefined) Object.assign(former, { target, name });
    return name;
  };
  return Object.freeze({
    bodyBytes(request: PlainRequest): number {
      if (request.method !== "POST" || request.header("content-type") !== "application/json") return -1;
      const length = request.header("content-length") ?? "";
      if (!lengthPattern.test(length) || Number(length) > bytesMax) return -1;
      for (const name of others) if (request.header(name) !== undefined) return -1;
      return nameOf(request.target) === undefined ? -1 : Number(length);
    },
    answer(request: PlainRequest, body: Uint8Array): FastAnswer | undefined {
      const name = nameOf(request.target);
      const events = read(body);
      if (name === undefined || events === undefined) return undefined;
      const headers: string[] = [];
      const passed = gate(request, (field, value) => void headers.push(field, value));
      if (passed.refusal !== undefined) return refused(headers, passed.refusal, passed.id);
      try {
        const text = publishedText(service, name, events);
        countAnswer(200);
        headers.push("Content-Type", "application/json");
        return { status: 200, headers, body: text };
      } catch (thrown) {
        const error = sluiceErrorFrom(thrown);
        if (error.code === "internal") onFault(thrown, passed.id);
        return refused(headers, error, passed.id);
      }
    },
  });

  function refused(headers: readonly string[], error: SluiceError, requestId: string): FastAnswer {
    const answer = problemAnswer(error, requestId);
    countAnswer(answer.status);
    return { ...answer, headers: [...headers, ...Object.entries(answer.headers).flat()] };
  }
}

/** The channel in a path; undefined where the path is not plainly that of its events. */
function nameFrom(target: string): string | undefined {
  const encoded = pathPattern.exec(target)?.[1];
  if (encoded === undefined) return undefined;
  const name = encoded.includes("%") ? encoded.replaceAll(/%2f/gi, "/") : encoded;
  return isChannelName(name) ? name : undefined;
}
