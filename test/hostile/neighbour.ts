/** A source and a sink that have nothing to do with what goes on beside them, and must not notice it. */
import { expect } from "vitest";
import type { HostFrame } from "../../host/gen/sluice/v1/frame_pb.ts";
import { TestCarrier } from "../host/support/carrier.ts";
import type { TestService } from "../host/support/service.ts";

/** Nobody meets this name by chance. */
const CHANNEL = "neighbours.a7f3c1d9";

/** What proves that they work. */
export interface Neighbours {
  /** Publishes one event and expects it, complete, in its place, and nothing else of that source. */
  talk(): void;
}

/** Makes a pair on a service. */
export function createNeighbours({ service, settle }: TestService): Neighbours {
  const [source, sink] = [new TestCarrier(service), new TestCarrier(service)];
  sink.join(CHANNEL);
  let said = 0;
  const fresh = (carrier: TestCarrier): HostFrame["kind"][] => {
    settle();
    const frames = carrier.frames();
    carrier.writes.length = 0;
    return frames;
  };
  expect(fresh(sink)).toMatchObject([{ case: "joined" }]);
  return {
    talk() {
      said++;
      const data = new TextEncoder().encode(`{"said":${said}}`);
      const event = { type: "said", source: "/neighbour", data };
      source.send({ ref: said, kind: { case: "publish", value: { channel: CHANNEL, events: [event] } } });
      const heard = fresh(sink).flatMap((kind) => (kind.case === "deliver" ? kind.value.events : []));
      // Channel numbers are small: a mutated publish may well be meant for this channel, and then it is delivered.
      const own = heard.filter(({ event: told }) => told?.source === "/neighbour");
      expect(own).toMatchObject([{ event: { type: "said", data } }]);
      expect(fresh(source)).toMatchObject([{ case: "receipt", value: { ref: said, results: [{ sinks: 1 }] } }]);
    },
  };
}
