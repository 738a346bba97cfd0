/** A control plane over a real service, asked without sockets. */
import type { ControlOptions, ControlPlane } from "../../../host/control/app.ts";
import { createControlApp } from "../../../host/control/app.ts";
import { limits } from "../../../host/limits.ts";
import { createLog } from "../../../host/log.ts";
import { createMetrics } from "../../../host/metrics.ts";
import type { ServiceOptionsInput } from "../../../host/options.ts";
import { createTestService, type TestService } from "../support/service.ts";

/** An answer taken apart. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed where it is JSON. */
  readonly json: Record<string, unknown>;
}

/** A control plane under test. */
export interface TestControl extends TestService {
  readonly app: ControlPlane;
  /** Lines that the control plane wrote. */
  readonly controlLog: Record<string, unknown>[];
  /** Asks; a body that is no string, bytes or stream is sent as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Asks as a client with that address. */
  askFrom(client: string, method: string, path: string, headers?: Record<string, string>): Promise<Answer>;
}

/** Makes a control plane. */
export function createTestControl(
  input: Partial<ControlOptions> = {},
  options: ServiceOptionsInput = {},
  settings: Parameters<typeof createTestService>[1] = {},
): TestControl {
  const made = createTestService(options, settings);
  const controlLog: Record<string, unknown>[] = [];
  let requests = 0;
  const app = createControlApp({
    service: made.service,
    limits,
    metrics: createMetrics(),
    log: createLog({ level: "debug", sink: (line) => controlLog.push(JSON.parse(line)), now: () => 0 }),
    info: { version: "1.2.3", runtime: "test 1", capabilities: { "filters.upload": false } },
    clock: made.clock,
    requestId: () => `request-${++requests}`,
    ...input,
  });
  const answerOf = async (response: Response): Promise<Answer> => {
    const text = await response.text();
    const isJson = text !== "" && response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : {} };
  };
  return {
    ...made,
    app,
    controlLog,
    askFrom: async (client, method, path, headers = {}) =>
      answerOf(await app.request(path, { method, headers }, { client })),
    async ask(method, path, body, headers = {}) {
      const raw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
      const init: RequestInit & { duplex?: "half" } = { method, headers: { ...headers } };
      if (body !== undefined) {
        init.body = (raw ? body : JSON.stringify(body)) as BodyInit;
        init.headers = { "content-type": "application/json", ...headers };
        if (body instanceof ReadableStream) init.duplex = "half";
      }
      return answerOf(await app.request(path, init));
    },
  };
}

/** A body that does not declare its size: chunks of bytes, and how many were taken. */
export function chunked(
  chunkBytes: number,
  chunks: number,
): { readonly body: ReadableStream<Uint8Array>; taken(): number } {
  let taken = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (taken === chunks) return controller.close();
        taken += 1;
        controller.enqueue(new Uint8Array(chunkBytes).fill(0x20));
      },
    },
    { highWaterMark: 0 },
  );
  return { body, taken: () => taken };
}
