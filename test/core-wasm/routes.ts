/** Routes for tests of the core: written as texts, compiled by the host, encoded as the ABI says. */
import * as abi from "../../core-wasm/abi.ts";
import { compileExpression } from "../../host/expression/compile.ts";
import type { Harness } from "./harness.ts";

/** A route; expressions are texts. */
export interface RouteInit {
  readonly when?: string;
  readonly where?: string;
  readonly orderBy?: string;
  readonly descending?: boolean;
  readonly limit?: number | string;
  readonly choose?: number;
  readonly per?: string;
  readonly charge?: number;
  readonly maxAgeMs?: number;
  readonly unique?: { readonly by?: string; readonly withinMs?: number; readonly maxKeys?: number };
  readonly reply?: { readonly response: string; readonly withinMs?: number; readonly maxKeys?: number };
}

/** Handle of an expression, 0 for none. */
function program(harness: Harness, text: string | undefined): number {
  if (text === undefined) return 0;
  const handle = harness.core.expressionAdd(abi.STAGE_OFFSET, harness.stage(compileExpression(text, "sluice").program));
  if (handle === 0) throw new Error(`expressionAdd(${text}) gave 0`);
  return handle;
}

/** The bytes that routesAdd() takes. */
export function encodeRoutes(harness: Harness, routes: readonly RouteInit[]): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8 + routes.length * abi.ROUTE_RECORD_BYTES));
  bytes.setUint32(0, routes.length, true);
  for (const [index, route] of routes.entries()) {
    const at = 8 + index * abi.ROUTE_RECORD_BYTES;
    const word = (field: number, value: number) => bytes.setUint32(at + field * 4, value, true);
    const double = (field: number, value: number) => bytes.setFloat64(at + field * 4, value, true);
    const flags =
      (route.descending === true ? abi.ROUTE_DESCENDING : 0) |
      (route.unique === undefined ? 0 : abi.ROUTE_HAS_UNIQUE) |
      (route.reply === undefined ? 0 : abi.ROUTE_HAS_REPLY);
    word(abi.ROUTE_FLAGS, flags);
    word(abi.ROUTE_CHOOSE, route.choose ?? abi.CHOOSE_BEST);
    word(abi.ROUTE_WHEN, program(harness, route.when));
    word(abi.ROUTE_WHERE, program(harness, route.where));
    word(abi.ROUTE_ORDER_BY, program(harness, route.orderBy));
    word(abi.ROUTE_LIMIT, typeof route.limit === "string" ? program(harness, route.limit) : 0);
    word(abi.ROUTE_PER, program(harness, route.per));
    word(abi.ROUTE_UNIQUE_BY, program(harness, route.unique?.by));
    word(abi.ROUTE_RESPONSE, program(harness, route.reply?.response));
    word(abi.ROUTE_LIMIT_NUMBER, typeof route.limit === "number" ? route.limit : abi.ROUTE_NO_LIMIT);
    word(abi.ROUTE_UNIQUE_KEYS, route.unique?.maxKeys ?? 100_000);
    word(abi.ROUTE_REPLY_KEYS, route.reply?.maxKeys ?? 100_000);
    double(abi.ROUTE_CHARGE, route.charge ?? 0);
    double(abi.ROUTE_MAX_AGE_MS, route.maxAgeMs ?? Number.POSITIVE_INFINITY);
    double(abi.ROUTE_UNIQUE_MS, route.unique?.withinMs ?? 5000);
    double(abi.ROUTE_REPLY_MS, route.reply?.withinMs ?? 60_000);
  }
  return new Uint8Array(bytes.buffer);
}

/** A list of routes in the core; its handle. */
export function addRoutes(harness: Harness, routes: readonly RouteInit[]): number {
  const handle = harness.core.routesAdd(abi.STAGE_OFFSET, harness.stage(encodeRoutes(harness, routes)));
  if (handle === 0) throw new Error(`routesAdd() gave status ${harness.result(abi.RESULT_STATUS)}`);
  return handle;
}

/** Binds routes to a stage of a channel, none to unbind; returns their handle. */
export function bindRoutes(harness: Harness, channel: number, stage: number, routes: readonly RouteInit[]): number {
  const handle = routes.length === 0 ? 0 : addRoutes(harness, routes);
  const status = harness.core.channelRoutes(channel, stage, handle);
  if (status !== abi.STATUS_OK) throw new Error(`channelRoutes() gave status ${status}`);
  return handle;
}
