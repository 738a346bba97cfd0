/**
 * Goal: polls give what an inbox holds, once, in order, numbered without gaps, whatever happens in between. Method: random
 * publishes, polls, polls that wait, holds and capacities, compared with a list.
 */

import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { JoinSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import { defaultInbox } from "../../host/session/inbox.ts";
import type { MailboxSettings } from "../../host/session/mailbox.ts";
import type { Polled } from "../../host/session/mailbox-view.ts";
import { createTestService } from "../host/support/service.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ publish: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 4, arbitrary: fc.record({ poll: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ held: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ capacity: fc.integer({ min: 1, max: 60 }) }) },
);

test("polls give what a bounded list would", { timeout: timeoutMs(60_000) }, async () => {
  const { service, settle } = createTestService();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
      let settings: MailboxSettings = { ...defaultInbox, idleMs: 1_000 };
      const { id } = service.inboxes.open(settings);
      service.inboxes.join(id, create(JoinSchema, { channel: "c" }));
      const patch = (change: Partial<MailboxSettings>): void => {
        settings = { ...settings, ...change };
        service.inboxes.patch(id, settings);
      };
      // What there must be: sequences that wait, how many were given and dropped, and which poll gets what.
      const first = service.channels.get("c")?.sequence() ?? 0;
      let model: number[] = [];
      let published = 0;
      let given = 0;
      let dropped = 0;
      let waiting: { max: number; wanted: number[] | undefined }[] = [];
      const answers: { got: Polled | Promise<Polled>; wanted: { max: number; wanted: number[] | undefined } }[] = [];
      const trim = (): void => {
        const over = Math.max(0, model.length - settings.capacityEvents);
        dropped += over;
        model = model.slice(over);
      };
      const take = (max: number): number[] => (settings.held ? [] : model.splice(0, max));
      const serve = (): void => {
        settle();
        for (let next = waiting[0]; next !== undefined && model.length > 0 && !settings.held; next = waiting[0]) {
          next.wanted = take(next.max);
          waiting = waiting.slice(1);
        }
      };
      for (const one of steps) {
        if ("publish" in one) {
          const events = Array.from({ length: one.publish }, () => create(EventSchema, { type: "t" }));
          service.publish("c", events);
          for (let count = 0; count < one.publish; count++) model.push(++published);
          trim();
        } else if ("held" in one) patch({ held: one.held });
        else if ("capacity" in one) {
          patch({ capacityEvents: one.capacity });
          trim();
        } else if ("poll" in one) {
          const got = service.inboxes.poll(id, { eventsMax: one.poll, waitMs: 0 });
          answers.push({ got, wanted: { max: one.poll, wanted: waiting.length > 0 ? [] : take(one.poll) } });
        } else if (waiting.length < 10) {
          const wanted = { max: one.wait, wanted: undefined as number[] | undefined };
          const now = waiting.length > 0 ? [] : take(one.wait);
          if (now.length > 0) wanted.wanted = now;
          else waiting.push(wanted);
          answers.push({ got: service.inboxes.poll(id, { eventsMax: one.wait, waitMs: 1_000 }), wanted });
        }
        serve();
      }
      patch({ held: false });
      serve();
      // What still waits gets nothing, and with it the rest of what was dropped is told.
      for (const { wanted } of answers) wanted.wanted ??= [];
      service.inboxes.wake();
      let told = 0;
      for (const { got, wanted } of answers) {
        const { entries, dropped: some } = await got;
        expect(entries.map(({ sequence }) => sequence - first)).toEqual(wanted.wanted);
        expect(entries.map(({ number }) => number)).toEqual(entries.map((_, index) => given + index + 1));
        given += entries.length;
        for (const { count } of some) told += count;
      }
      for (const { count } of (await service.inboxes.poll(id, { eventsMax: 1, waitMs: 0 })).dropped) told += count;
      expect(told).toBe(dropped);
      service.inboxes.close(id);
    }),
    propertyParameters(150),
  );
  expect(service.statistics()).toMatchObject({ inboxes: 0, members: 1 });
});
