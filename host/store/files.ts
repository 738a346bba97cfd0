/**
 * Files that survive a crash: each is written whole beside its place, synced, renamed into it, and the folder is synced, so a
 * crash at any moment leaves either what was there or what was written.
 */
import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Makes a folder and those above it. Not by mkdir's own `recursive`: on Node 20 that never returns where a folder that
 * exists takes no entries and says ENOENT, as /proc does.
 */
export async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "EEXIST") return;
    const parent = dirname(dir);
    if (code !== "ENOENT" || parent === dir) throw cause;
    await makeFolder(parent);
    await mkdir(dir);
  }
}

/** Replaces a file of a folder, or makes it. Throws what the system says. */
export async function replaceFile(dir: string, name: string, content: string | Uint8Array): Promise<void> {
  const file = join(dir, name);
  const next = `${file}.next`;
  const handle = await open(next, "w", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
  // The new name is an entry of the folder: without this it may be lost with the power.
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What the system calls a failure, such as ENOENT; undefined for what is none of its. */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
}
