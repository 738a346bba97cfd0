// The library bundle, opened the way an embedding application opens it.
import { existsSync } from "node:fs";
import path from "node:path";
import { create } from "@bufbuild/protobuf";

const LIBRARY = path.join(import.meta.dirname, "../../dist/index.js");

/**
 * Opens a host without sockets, from what `npm run build` made.
 *
 * @throws {Error} Where it is not built.
 */
export async function openEmbedded() {
  if (!existsSync(LIBRARY)) throw new Error(`${LIBRARY} is not there: run \`npm run build\` first`);
  const { createHost, serveHost, defaultDefinition, EventSchema } =
    /** @type {typeof import('../../host/index.ts')} */ (await import(LIBRARY));
  const { service } = await createHost();
  return {
    service,
    serveHost,
    defaultDefinition,
    /** An event as the other ways publish it. @param {Buffer} data */
    eventOf: (data) => create(EventSchema, { type: "t", source: "/kecho/1", data }),
  };
}
