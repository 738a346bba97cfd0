/**
 * The version of this package, in one place for `--version` and for what the host tells about itself.
 */
import manifest from "../../package.json" with { type: "json" };

/** For example "0.1.0". */
export const version: string = manifest.version;
