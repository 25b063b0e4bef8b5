/**
 * A process that dies at one of the stores of a fused call: the page that the store would change
 * can only be read.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { receiveOut, sendIn } from "../../src/memory/word.ts";
import { map, MapFlag, Protection } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { ScratchFd } from "../os/scratch.ts";
import { type Calls, PAGES, perform } from "./fused_pages.ts";

const OPEN_WRITE = 1;

const [call, path, page] = Deno.args as [keyof Calls, string, string];
using file = ScratchFd.open(path, OPEN_WRITE);
const { fd } = file;
const length = pageSize();
using mapping = Mapping.ofFile(fd, { length: PAGES * length, what: "a test" });
const offset = Number(page) * length;
const flags = MapFlag.shared | MapFlag.fixed;
const protection = Protection.read;
map({ address: mapping.address + offset, length, protection, flags, fd, offset });
perform(call, { sendIn, receiveOut }, mapping);
console.log("nothing stopped it");
