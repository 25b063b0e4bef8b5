import { assert, assertEquals } from "@std/assert";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { availableMemory, pageSize, wholePages } from "../../src/os/page.ts";

Deno.test("pageSize() is a power of two in which every mapping is counted", () => {
  const page = pageSize();
  assert(page >= 4096 && Number.isInteger(Math.log2(page)), `${page}`);
  for (const { start, end } of mappedRanges()) assertEquals([start % page, end % page], [0, 0]);
});

Deno.test("pageSize() is the value of getconf", () => {
  const { stdout } = new Deno.Command("getconf", { args: ["PAGESIZE"] }).outputSync();
  assertEquals(pageSize(), Number(new TextDecoder().decode(stdout)));
});

Deno.test("wholePages() rounds up to whole pages", () => {
  const page = pageSize();
  assertEquals([0, 1, page - 1, page, page + 1, 3 * page].map((size) => wholePages(size)), [
    0,
    page,
    page,
    page,
    2 * page,
    3 * page,
  ]);
});

Deno.test("wholePages() rounds to the page it is given", () => {
  const huge = 2 * 1024 * 1024;
  assertEquals(wholePages(1, huge), huge);
  assertEquals(wholePages(huge + 1, huge), 2 * huge);
});

Deno.test("wholePages() is exact beyond 2^32", () => {
  assertEquals(wholePages(2 ** 40 + 1, 4096), 2 ** 40 + 4096);
});

Deno.test("availableMemory() is a part of the memory that the machine has", () => {
  const { total } = Deno.systemMemoryInfo();
  const available = availableMemory();
  assert(0 < available && available <= total, `${available} of ${total}`);
});
