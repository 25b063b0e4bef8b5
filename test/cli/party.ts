/**
 * A program that opens a few regions in a namespace and waits: `vring` looks at it from outside.
 *
 * @module
 */

import { mpsc } from "../../src/mpsc/definition.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";

namespace(Deno.args[0]!);
const open = [
  spsc("ring").producer(),
  mpsc("many").producer(),
  topic("t").publisher(),
  topic("t").subscriber(),
  topic("alone").publisher(),
];
console.log(`open: ${open.length}`);
setInterval(() => {}, 60_000); // until it is killed
