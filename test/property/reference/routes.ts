/**
 * Routes as their description says, slowly: a list of sinks, sorted for each event. Expressions come as a text for the core
 * and as a function for this model.
 */

/** What a question is asked about. */
export interface Subject {
  readonly event: {
    readonly type: string;
    readonly key: string;
    readonly copies: number | undefined;
    readonly zone: string;
  };
  readonly sink: ModelSink;
}

/** A question, in both languages. */
export interface Question<Value> {
  readonly text: string;
  readonly ask: (subject: Subject) => Value;
}

/** A route of the model; `limit` undefined: none. */
export interface ModelRoute {
  readonly when?: Question<boolean>;
  readonly where?: Question<boolean>;
  readonly orderBy?: Question<number | undefined>;
  readonly descending?: boolean;
  readonly limit?: number | Question<number | undefined>;
  readonly per?: Question<string | undefined>;
  readonly charge?: number;
  readonly maxAgeMs?: number;
  readonly unique?: boolean;
}

/** A sink and what is known of it. */
export interface ModelSink {
  readonly id: number;
  readonly session: number;
  readonly order: number;
  readonly attributes: Map<string, number | string>;
  readonly setMs: Map<string, number>;
  selections: number;
}

/** Two stages of one channel. */
export class RouteModel {
  readonly sinks: ModelSink[] = [];
  readonly stages: ModelRoute[][] = [[], []];
  /** Keys seen by the route of each stage that has `unique`, with their end; bound anew, it begins anew. */
  readonly seen: Map<string, number>[] = [new Map(), new Map()];
  echo = false;
  now = 0;

  /** Ids of the sinks that get an event of a session, sorted. */
  publish(event: Subject["event"], session: number): number[] {
    let left = this.sinks.filter((sink) => sink.session !== session);
    const passed: [Map<string, number>, string][] = [];
    // A stage remembers what it has seen, whatever a later one makes of it.
    const remember = () => {
      for (const [seen, key] of passed) seen.set(key, this.now + 5000);
    };
    const owned = this.echo ? this.sinks.filter((sink) => sink.session === session) : [];
    for (const [stage, routes] of this.stages.entries()) {
      // A host that has no selected sinks asks no IN filter.
      if (stage === 1 && left.length + owned.length === 0) continue;
      const route = routes.find(({ when }) => when === undefined || when.ask({ event, sink: left[0] as ModelSink }));
      if (route === undefined) continue;
      if (route.unique === true && event.key !== "") {
        const seen = this.seen[stage] as Map<string, number>;
        if ((seen.get(event.key) ?? Number.NEGATIVE_INFINITY) > this.now) {
          remember();
          return [];
        }
        passed.push([seen, event.key]);
      }
      left = this.#narrow(route, event, left);
    }
    remember();
    return [...left, ...owned].map(({ id }) => id).sort((a, b) => a - b);
  }

  #narrow(route: ModelRoute, event: Subject["event"], sinks: readonly ModelSink[]): ModelSink[] {
    const qualified = sinks.filter((sink) => route.where === undefined || route.where.ask({ event, sink }));
    const limit =
      typeof route.limit === "object" ? route.limit.ask({ event, sink: sinks[0] as ModelSink }) : route.limit;
    if (limit === undefined || Number.isNaN(limit)) return qualified;
    const ranked = qualified
      .map((sink) => ({ sink, key: this.#key(route, { event, sink }) }))
      .sort((a, b) => {
        const place = a.key.findIndex((value, index) => value !== b.key[index]);
        return place < 0 ? 0 : (a.key[place] as number) - (b.key[place] as number);
      });
    const counts = new Map<string | undefined, number>();
    const kept = ranked.filter(({ sink }) => {
      const group = route.per?.ask({ event, sink });
      if (route.per !== undefined && group === undefined) return Math.floor(limit) > 0;
      const count = counts.get(group) ?? 0;
      counts.set(group, count + 1);
      return count < Math.floor(limit);
    });
    for (const { sink } of kept) sink.selections++;
    return kept.map(({ sink }) => sink);
  }

  #key(route: ModelRoute, subject: Subject): number[] {
    const { sink } = subject;
    const value = route.orderBy === undefined ? 0 : route.orderBy.ask(subject);
    if (value === undefined || Number.isNaN(value)) return [2, 0, sink.selections, sink.order];
    const set = Math.min(
      ...[...sink.setMs].filter(([name]) => route.orderBy?.text.includes(`sink.${name}`)).map(([, ms]) => ms),
    );
    const stale = route.maxAgeMs !== undefined && this.now - set > route.maxAgeMs;
    const badness = (route.descending === true ? -value : value) + (route.charge ?? 0) * sink.selections;
    return [stale ? 1 : 0, badness, sink.selections, sink.order];
  }
}
