/**
 * Files of the pages at `/docs`: beside the library in `dist/`, above the command line in `dist/cli/`, or in `dist/` of the
 * repository when run from sources.
 */
import { readFile } from "node:fs/promises";
import type { ReadDocs } from "../../control/routes/docs.ts";

const places = ["./docs/", "../docs/", "../../../dist/docs/"];

/** Reads one file anew each time: pages are asked for rarely, and 1.5 MB are too much to keep for that. */
export const readDocs: ReadDocs = async (name) => {
  for (const place of places) {
    // Names come from a fixed list, so nobody outside chooses a path here.
    const bytes = await readFile(new URL(`${place}${name}`, import.meta.url)).catch(() => undefined);
    if (bytes !== undefined) return new Uint8Array(bytes);
  }
  return undefined;
};
