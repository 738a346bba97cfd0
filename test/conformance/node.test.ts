import { conformanceSuite } from "./suite.ts";
import { targets } from "./targets.ts";

conformanceSuite(targets.node);
