/** A channel with one source and sinks with live attributes, for tests of routes. */
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";
import { bindRoutes, type RouteInit } from "./routes.ts";

/** A value of an attribute. */
export type Scalar = number | string | boolean;

const scalar = (value: Scalar) =>
  typeof value === "number"
    ? { kind: { case: "number" as const, value } }
    : typeof value === "string"
      ? { kind: { case: "text" as const, value } }
      : { kind: { case: "boolean" as const, value } };

/** Attributes of an event or a sink. */
export const attributesOf = (attributes: Record<string, Scalar>): NonNullable<EventInit["attributes"]> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, scalar(value)]));

/** A sink with its attributes. */
export class Sink {
  readonly harness: Harness;
  readonly connection: TestConnection;
  readonly member: number;

  constructor(harness: Harness, connection: TestConnection, member: number) {
    this.harness = harness;
    this.connection = connection;
    this.member = member;
  }

  update(attributes: Record<string, Scalar>, remove: string[] = []): void {
    this.connection.send({
      kind: { case: "update", value: { member: this.member, attributes: attributesOf(attributes), remove } },
    });
  }

  ids(): string[] {
    return this.connection.events().map(({ id }) => id);
  }
}

/** A channel with one source, and a way to add sinks. */
export class World {
  readonly harness = Harness.create();
  readonly channel: number;
  readonly source: TestConnection;
  #count = 0;

  constructor(flags = 0) {
    this.channel = this.harness.channel("c", { flags });
    this.source = this.harness.open();
    this.harness.source(this.source, this.channel);
  }

  sink(attributes: Record<string, Scalar> = {}, connection = this.harness.open()): Sink {
    const sink = new Sink(this.harness, connection, this.harness.sink(connection, this.channel));
    if (Object.keys(attributes).length > 0) sink.update(attributes);
    return sink;
  }

  bind(stage: number, ...routes: RouteInit[]): number {
    return bindRoutes(this.harness, this.channel, stage, routes);
  }

  /** Publishes one event; returns how many sinks were selected. */
  publish(event: EventInit = {}, from = this.source): number {
    const [record] = from.receipt(this.channel, [{ type: "request", id: String(++this.#count), ...event }]);
    if (record === undefined || record.status !== abi.STATUS_OK) throw new Error(`status ${record?.status}`);
    return record.sinks;
  }
}

/** How many events each sink has got since the last time. */
export const counts = (sinks: readonly Sink[]): number[] => sinks.map((sink) => sink.ids().length);
