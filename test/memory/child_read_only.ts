/**
 * A program that writes to memory which is mapped for reading only.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { memfd, truncate } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { limit } from "./limits.ts";

limit("core", 0);
const fd = memfd("read-only");
truncate(fd, pageSize());
const mapping = Mapping.ofFile(fd, { length: pageSize(), readOnly: true, what: "a test" });
console.log(`reads ${mapping.bytes[17]}`);
mapping.bytes[17] = 1;
console.log("has written");
