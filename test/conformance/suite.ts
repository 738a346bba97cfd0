/**
 * What every runtime must do alike, checked on real processes over real sockets: one host per runtime for nearly all tests,
 * and some for how a host begins and ends.
 *
 * Not every rule of the protocol is here, those are tested once, beside the sources. Here is what a runtime can get wrong: its
 * HTTP server, its sockets, its files, its signals, its entry.
 */
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { addEmbeddedTests } from "./embedded.ts";
import { addHttpTests } from "./http.ts";
import { knownFailures } from "./known-failures.ts";
import { addLifeTests } from "./life.ts";
import { addModuleTests } from "./modules.ts";
import { addPatienceTests, type Patience, startPatience } from "./patience.ts";
import { addPatternTests } from "./patterns.ts";
import { addPollTests } from "./polls.ts";
import { type ConformanceHost, startOn } from "./process.ts";
import { addRouteTests } from "./routes.ts";
import { addSocketTests } from "./sockets.ts";
import { addStreamTests } from "./streams.ts";
import { missing, type Target } from "./targets.ts";

/** What groups of tests are added to. */
export interface Suite {
  readonly target: Target;
  /** The host that tests share: channels are named after the test. Only while tests run. */
  readonly host: () => ConformanceHost;
  /** Adds a test. */
  check(name: string, body: (context: TestContext) => Promise<void>, timeoutMs?: number): void;
}

/** Adds all tests for one runtime. */
export function conformanceSuite(target: Target): void {
  const absent = missing(target);
  const known = knownFailures.filter((failure) => failure.target === target.name);
  const names: string[] = [];
  let host: ConformanceHost | undefined;
  let patience: Patience | undefined;

  const suite: Suite = {
    target,
    host() {
      if (host === undefined) throw new Error("There is no host yet");
      return host;
    },
    check(name, body, timeoutMs) {
      names.push(name);
      const failure = known.find((one) => one.test === name);
      // By name, and not as a whole, so that the run tells what was not looked at.
      if (absent !== undefined) test(name, (context) => context.skip(absent));
      else if (failure === undefined) test(name, body, timeoutMs);
      else test.fails(`${name} (known failure: ${failure.reason})`, body, timeoutMs);
    },
  };

  describe(`sluice serve on ${target.name}`, () => {
    beforeAll(async () => {
      if (absent !== undefined) return;
      host = await startOn(target);
      patience = startPatience(host.httpPort, host.tcpPort);
    });
    afterAll(async () => {
      const finished = await host?.stop();
      // Whatever the tests did to it, the host was whole to the end and had nothing to complain of.
      if (finished !== undefined) expect(finished).toMatchObject({ code: 0, stderr: "" });
    });
    addHttpTests(suite);
    addSocketTests(suite);
    addStreamTests(suite);
    addPollTests(suite);
    addPatternTests(suite);
    addRouteTests(suite);
    addModuleTests(suite);
    addLifeTests(suite);
    addEmbeddedTests(suite);
    // Last, because the host's patience has been tried since the beginning.
    addPatienceTests(suite, () => patience);
    test("every known failure is one of these tests", () => {
      expect(known.filter(({ test }) => !names.includes(test))).toEqual([]);
    });
  });
}
