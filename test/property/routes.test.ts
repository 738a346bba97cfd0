/**
 * Goal: routes select whom their description says, whatever joins, leaves, updates and is bound meanwhile; and explain says
 * before each event what then happens. Oracle: a plain model that sorts all sinks for each event.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import type { EventInit } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { bindRoutes, type RouteInit } from "../core-wasm/routes.ts";
import { casesOfRun, createRandom, type Random, seedOfRun } from "../hostile/mutate.ts";
import { type ModelRoute, type ModelSink, type Question, RouteModel } from "./reference/routes.ts";
import { timeoutMs } from "./runs.ts";

function pick<Value>(random: Random, values: readonly Value[]): Value {
  return values[random(values.length)] as Value;
}

const load = (sink: ModelSink): number | undefined => {
  const value = sink.attributes.get("load");
  return typeof value === "number" ? value : undefined;
};
const groupOf = (sink: ModelSink): string | undefined => {
  const value = sink.attributes.get("zone");
  return value === undefined ? undefined : String(value);
};

const whens: readonly Question<boolean>[] = [
  { text: "type = 'a'", ask: ({ event }) => event.type === "a" },
  { text: "EXISTS copies", ask: ({ event }) => event.copies !== undefined },
];
const wheres: readonly Question<boolean>[] = [
  { text: "sink.load < 3", ask: ({ sink }) => (load(sink) ?? Number.NaN) < 3 },
  { text: "sink.zone = zone", ask: ({ sink, event }) => groupOf(sink) === event.zone },
  { text: "zone = 'x'", ask: ({ event }) => event.zone === "x" },
];
const orders: readonly Question<number | undefined>[] = [
  { text: "sink.load", ask: ({ sink }) => load(sink) },
  { text: "sink.load + 0 * priority", ask: ({ sink }) => load(sink) },
];
const limits: readonly (number | Question<number | undefined>)[] = [
  0,
  1,
  2,
  3,
  { text: "copies", ask: ({ event }) => event.copies },
];
const zones: Question<string | undefined> = { text: "sink.zone", ask: ({ sink }) => groupOf(sink) };

/** A random route of what goes together. */
function randomRoute(random: Random): ModelRoute {
  const limit = random(5) === 0 ? undefined : pick(random, limits);
  const orderBy = random(4) === 0 ? undefined : pick(random, orders);
  return {
    ...(random(3) === 0 ? { when: pick(random, whens) } : {}),
    ...(random(3) === 0 ? { where: pick(random, wheres) } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(orderBy === undefined ? {} : { orderBy, descending: random(3) === 0 }),
    ...(orderBy !== undefined && random(3) === 0 ? { charge: pick(random, [0.5, 1]) } : {}),
    ...(orderBy !== undefined && random(3) === 0 ? { maxAgeMs: 1000 } : {}),
    ...(limit !== undefined && random(4) === 0 ? { per: zones } : {}),
    ...(random(5) === 0 ? { unique: true } : {}),
  };
}

const textOf = ({ when, where, orderBy, limit, per, unique, ...route }: ModelRoute): RouteInit => ({
  ...route,
  ...(when === undefined ? {} : { when: when.text }),
  ...(where === undefined ? {} : { where: where.text }),
  ...(orderBy === undefined ? {} : { orderBy: orderBy.text }),
  ...(limit === undefined ? {} : { limit: typeof limit === "object" ? limit.text : limit }),
  ...(per === undefined ? {} : { per: per.text }),
  ...(unique === true ? { unique: {} } : {}),
});

/** Core and model side by side. */
class World {
  readonly harness = Harness.create();
  readonly model = new RouteModel();
  readonly channel: number;
  readonly connections: TestConnection[] = [];
  readonly members: { sink: ModelSink; connection: TestConnection }[] = [];
  readonly random: Random;
  #orders = 0;

  constructor(random: Random) {
    this.random = random;
    this.model.echo = random(2) === 0;
    this.model.now = this.harness.now;
    this.channel = this.harness.channel("c", { flags: this.model.echo ? abi.CHANNEL_ECHO : 0 });
    for (let i = 0; i < 3; i++) {
      const connection = this.harness.open();
      this.harness.source(connection, this.channel);
      this.connections.push(connection);
    }
  }

  step(): void {
    const { random } = this;
    const dice = random(20);
    if (dice < 2 || this.members.length === 0) this.#join();
    else if (dice < 3) this.#leave();
    else if (dice < 4) this.#bind();
    else if (dice < 8) this.#update();
    else if (dice < 10) this.harness.now = this.model.now += random(700);
    else this.#publish();
  }

  #join(): void {
    if (this.members.length === 12) return;
    const connection = this.random(3) === 0 ? pick(this.random, this.connections) : this.harness.open();
    // A second membership of a session shares its entry: one is enough here.
    if (this.members.some((member) => member.connection === connection)) return;
    const id = this.harness.sink(connection, this.channel);
    const sink: ModelSink = {
      id,
      session: connection.id,
      order: this.#orders++,
      attributes: new Map(),
      setMs: new Map(),
      selections: 0,
    };
    this.model.sinks.push(sink);
    this.members.push({ sink, connection });
  }

  #leave(): void {
    const [gone] = this.members.splice(this.random(this.members.length), 1);
    if (gone === undefined) return;
    this.harness.core.memberRemove(gone.connection.id, gone.sink.id);
    this.model.sinks.splice(this.model.sinks.indexOf(gone.sink), 1);
  }

  #bind(): void {
    const stage = this.random(2);
    const routes = Array.from({ length: this.random(4) }, () => randomRoute(this.random));
    bindRoutes(this.harness, this.channel, stage, []);
    bindRoutes(this.harness, this.channel, stage, routes.map(textOf));
    this.model.stages[stage] = routes;
    // One memory per stage in the model: routes of one list that share it would differ.
    let uniques = 0;
    this.model.stages[stage] = routes.filter(({ unique }) => unique !== true || uniques++ === 0);
    if (uniques > 1) bindRoutes(this.harness, this.channel, stage, this.model.stages[stage].map(textOf));
    this.model.seen[stage] = new Map();
  }

  #update(): void {
    const { sink, connection } = pick(this.random, this.members);
    const attributes: NonNullable<EventInit["attributes"]> = {};
    const remove: string[] = [];
    if (this.random(3) !== 0) {
      const value = pick(this.random, [0, 1, 2, 2.5, 3, 4, Number.NaN, Number.POSITIVE_INFINITY]);
      attributes["load"] = { kind: { case: "number", value } };
      sink.attributes.set("load", value);
      sink.setMs.set("load", this.model.now);
    } else if (this.random(3) === 0) {
      remove.push("load");
      sink.attributes.delete("load");
      sink.setMs.delete("load");
    }
    if (this.random(3) === 0) {
      const value = pick(this.random, ["x", "y"]);
      attributes["zone"] = { kind: { case: "text", value } };
      sink.attributes.set("zone", value);
      sink.setMs.set("zone", this.model.now);
    }
    sink.selections = 0;
    connection.send({ kind: { case: "update", value: { member: sink.id, attributes, remove } } });
  }

  #publish(): void {
    const connection = pick(this.random, this.connections);
    const event = {
      type: pick(this.random, ["a", "b"]),
      key: pick(this.random, ["", "k1", "k2", "k3"]),
      copies: pick(this.random, [undefined, 0, 1, 2.5, Number.NaN]),
      zone: pick(this.random, ["x", "y"]),
    };
    const init: EventInit = {
      type: event.type,
      key: event.key,
      attributes: {
        zone: { kind: { case: "text", value: event.zone } },
        ...(event.copies === undefined ? {} : { copies: { kind: { case: "number", value: event.copies } } }),
      },
    };
    const foretold = this.#explain(connection, init);
    const want = this.model.publish(event, connection.id);
    connection.publish(this.channel, [init]);
    const got = this.members
      .filter((member) => member.connection.events().length > 0)
      .map(({ sink }) => sink.id)
      .sort((a, b) => a - b);
    expect(got).toEqual(want);
    expect(foretold).toEqual(want);
  }

  #explain(connection: TestConnection, init: EventInit): number[] {
    const bytes = this.harness.stage(toBinary(EventSchema, create(EventSchema, init)));
    this.harness.core.explain(this.channel, connection.id, abi.STAGE_OFFSET, bytes, 0, this.harness.now);
    return Array.from({ length: this.harness.result(abi.RESULT_COUNT) }, (_, index) => {
      const word = (at: number) => this.harness.words.at(abi.RECEIPTS_OFFSET + index * abi.EXPLAIN_RECORD_BYTES, at);
      return word(abi.EXPLAIN_VERDICT) === abi.VERDICT_DELIVERED ? [word(abi.EXPLAIN_MEMBER)] : [];
    })
      .flat()
      .sort((a, b) => a - b);
  }
}

test("routes agree with the model, and explain with both", { timeout: timeoutMs(60_000) }, () => {
  const seed = seedOfRun();
  for (let run = 0; run < casesOfRun(120); run++) {
    const world = new World(createRandom(seed + run));
    try {
      for (let step = 0; step < 150; step++) world.step();
    } catch (error) {
      throw new Error(`SLUICE_PROPERTY_SEED=${seed + run}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
});
