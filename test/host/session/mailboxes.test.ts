import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { JoinSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";
import type { Service } from "../../../host/service.ts";
import { defaultInbox } from "../../../host/session/inbox.ts";
import type { MailboxSettings } from "../../../host/session/mailbox.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestService } from "../support/service.ts";

const settings: MailboxSettings = { ...defaultInbox, idleMs: 300_000 };
const join = (service: Service, id: string, channel = "c") => service.inboxes.join(id, create(JoinSchema, { channel }));
const publish = (service: Service, channel = "c") =>
  service.publish(channel, [create(EventSchema, { type: "t", data: new Uint8Array(2_000) })]);

describe("Mailboxes", () => {
  test("give back all that they took, however many come and go", () => {
    const { service, clock, settle } = createTestService();
    const round = (): void => {
      for (let count = 0; count < 500; count++) {
        const { id } = service.inboxes.open(settings);
        join(service, id);
        publish(service);
        service.inboxes.close(id);
      }
      settle();
    };
    publish(service);
    round();
    const { pagesUsed, connections, members } = service.statistics();
    const timers = clock.waiting;
    for (let rounds = 0; rounds < 6; rounds++) round();
    const after = service.statistics();
    expect([after["connections"], after["members"], clock.waiting]).toEqual([connections, members, timers]);
    expect(after["pagesUsed"]).toBeLessThanOrEqual(pagesUsed as number);
  });

  test("are not for hosts that go down", async () => {
    const { service } = createTestService();
    await service.drain();
    expect(() => service.inboxes.open(settings)).toThrowError(expect.objectContaining({ code: "draining" }));
  });

  test("a trap while one is polled is core_restarted for whoever polled, and the inbox goes on", async () => {
    const { service, log } = createTestService();
    const { id } = service.inboxes.open(settings);
    join(service, id);
    service.core.exports = {
      ...service.core.exports,
      drain: () => {
        throw new WebAssembly.RuntimeError("unreachable");
      },
    };
    const poll = () => service.inboxes.poll(id, { eventsMax: 1, waitMs: 0 });
    expect(poll).toThrowError(expect.objectContaining({ code: "core_restarted" }));
    publish(service);
    expect((await poll()).entries).toMatchObject([{ number: 1, epoch: 2 }]);
    expect(log).toContainEqual(expect.objectContaining({ level: "error", message: "core failed" }));
  });

  test("settings and joins outlive the core; a channel that cannot be joined again is given up, and that is logged", () => {
    const { service, log } = createTestService({ implicitChannels: true });
    const { id } = service.inboxes.open({ ...settings, held: true, capacityEvents: 3 });
    join(service, id, "kept");
    join(service, id, "gone");
    const add = service.channels.resolve.bind(service.channels);
    service.channels.resolve = (name: string) => {
      if (name === "gone") throw new Error("no room");
      return add(name);
    };
    service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    const view = service.inboxes.get(id);
    expect(Array.from(view?.joins() ?? [], ({ channel }) => channel)).toEqual(["kept"]);
    for (let count = 0; count < 5; count++) publish(service, "kept");
    expect(view).toMatchObject({ held: true, events: 3 });
    expect(log).toContainEqual(
      expect.objectContaining({ level: "warn", message: "mailbox could not join again", channel: "gone" }),
    );
  });

  test("of sessions that say goodbye are not there any more", () => {
    const { service, settle } = createTestService();
    const carrier = new TestCarrier(service);
    carrier.takes = false;
    carrier.join("c");
    settle();
    expect(service.inboxes.get("s1")?.kind).toBe("stream");
    carrier.connection.ended();
    settle();
    expect(service.inboxes.get("s1")).toBeUndefined();
    expect([...service.inboxes.list()]).toEqual([]);
  });
});
