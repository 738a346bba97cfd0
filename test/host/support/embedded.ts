/** A host inside of the test's process, by the library's own entry; it is closed when the test is over. */
import { onTestFinished } from "vitest";
import { createHost, type Host, type HostOptions } from "../../../host/index.ts";

/** Makes one, with little memory. */
export async function open(options: HostOptions = {}): Promise<Host> {
  const host = await createHost({ memoryBytes: 96 * 2 ** 20, ...options });
  onTestFinished(() => host.close());
  return host;
}
