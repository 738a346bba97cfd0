/** What all routes share: the app they are added to, and pieces of its OpenAPI description. */
import { type RouteConfig, z } from "@hono/zod-openapi";
import type { Clients } from "../../clients.ts";
import type { Clock } from "../../clock.ts";
import { problemContentType } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import type { Log } from "../../log.ts";
import type { Metrics } from "../../metrics.ts";
import { problemSchema } from "../../socket/json/schema/host.ts";
import type { Access } from "../access.ts";
import type { Cursors } from "../cursor.ts";
import type { ControlContext } from "../request.ts";
import type { ControlService } from "../service.ts";
import type { ReadDocs } from "./docs.ts";
import type { TestControls } from "./test-controls.ts";

/** What the control plane is told about the process it runs in. */
export interface ControlInfo {
  /** Of this package. */
  readonly version: string;
  /** Such as `node 20.20.2`. */
  readonly runtime: string;
  /** What this host can do, by name, such as `filters.upload`. */
  readonly capabilities?: Readonly<Record<string, boolean>>;
  /** Of the resolved configuration, to compare hosts. */
  readonly configDigest?: string | null;
  /** Where others reach its HTTP. */
  readonly url?: string | null;
  /** Where others reach its binary protocol; null where that is off. */
  readonly tcp?: string | null;
}

/** What {@link createControlApp} takes. */
export interface ControlOptions {
  readonly service: ControlService;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly info: ControlInfo;
  /** The real clock. */
  readonly clock: Clock;
  /** Waits until changes of the control state are on disk; at once where absent. Changes are answered after it. */
  readonly persisted?: () => Promise<void>;
  /** Reads the files behind `/docs`; absent: there are none, and `/docs` is 404. */
  readonly docs?: ReadDocs;
  /** Which pages may ask, and under which names; loopback only where absent. */
  readonly access?: Access;
  /** What each client may ask; all it likes where absent. */
  readonly clients?: Clients;
  /** Time in the hands of a test; absent: `/v1/test/…` is 404. */
  readonly testControls?: TestControls | undefined;
  /** Makes request ids; random where absent. */
  readonly requestId?: () => string;
}

/** What routes are added to. */
export interface ControlApp extends Required<Omit<ControlOptions, "requestId" | "testControls">> {
  /** Makes and reads the cursors of lists. */
  readonly cursors: Cursors;
  /** Adds a handler and describes it in the OpenAPI document; other methods at its path become 405. */
  route(route: RouteConfig, handler: (context: ControlContext) => Response | Promise<Response>): void;
}

/** The `channel` of a path. `/` in a name is percent-encoded. */
export const channelParameter = z.object({
  channel: z.string().openapi({ param: { name: "channel", in: "path" }, example: "host.load" }),
});

/** Content of one JSON schema. */
export function jsonContent<Schema extends z.ZodType>(schema: Schema) {
  return { "application/json": { schema } };
}

const problemAnswer = problemSchema
  .omit({ ref: true })
  .extend({
    type: z.string(),
    status: z.int(),
    instance: z.string(),
    reasons: z.array(z.string()).optional().describe("Of a refused filter module: everything that is wrong with it"),
  })
  .meta({ id: "Problem" });

const meanings: Readonly<Record<number, string>> = {
  400: "Not well-formed, or with an unknown field",
  403: "Not for pages of this origin, or not under this name",
  404: "There is no such thing",
  409: "It conflicts with what is there",
  412: "A precondition does not hold",
  413: "The body is too large",
  415: "The media type is not taken",
  422: "A value is not allowed",
  429: "Too much at once; Retry-After says when",
  503: "Not now; Retry-After says when",
};

/** Descriptions of the refusals of a route. */
export function problemAnswers(...statuses: number[]) {
  const content = { [problemContentType]: { schema: problemAnswer } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: meanings[status] ?? "Refused", content }]),
  );
}
