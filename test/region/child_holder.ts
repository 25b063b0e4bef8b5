/**
 * A program that holds a byte of the file at a path until it is killed.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Role } from "../../src/region/liveness.ts";

const [path, byte, gigabytes = "0"] = Deno.args;

const role = Role.tryHold(path!, Number(byte), "a test");
const mappings = Array.from({ length: Number(gigabytes) }, () => {
  const mapping = Mapping.anonymous(2 ** 30, "a test");
  for (let at = 0; at < mapping.length; at += 2 ** 21) mapping.bytes[at] = 1 + at % 7;
  return mapping;
});
console.log(role === undefined ? "taken" : "held");
setInterval(() => [role, mappings], 1e6); // for ever, and what is forgotten would be given back
