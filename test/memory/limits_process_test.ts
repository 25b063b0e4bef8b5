import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { pageSize } from "../../src/os/page.ts";
import { Child } from "../os/child.ts";

/** How making a ring failed, and how much it left behind. */
interface Told {
  told: string[];
  left: number;
}

/** The output of a program that has run out of a resource. */
async function exhaust(what: string, wrapper: string[] = []): Promise<Told> {
  const program = new URL("./child_exhaust.ts", import.meta.url);
  await using child = new Child(program, { args: [what], wrapper });
  const { code, lines, stderr } = await child.ending();
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(lines[0]!);
}

Deno.test("MirrorRing leaves nothing behind when the limit of addresses is reached", async () => {
  const { told, left } = await exhaust("addresses");
  assertEquals([told.length, left], [1, 0]);
  assertStringIncludes(told[0]!, "mmap ENOMEM: Cannot reserve");
});

Deno.test("MirrorRing throws an OsError when no fd is left", async () => {
  const { told, left } = await exhaust("files");
  assertEquals([told.length, left], [1, 0]);
  assertStringIncludes(told[0]!, "memfd_create EMFILE: Cannot make memory for a mirror ring");
});

Deno.test("MirrorRing refuses more memory than there is before it takes any", async () => {
  const [, kilobytes] = /MemAvailable: +(\d+) kB/.exec(Deno.readTextFileSync("/proc/meminfo"))!;
  if (Number(kilobytes) * 1024 >= 2 ** 36) {
    console.log("NOT TESTED: a ring larger than the memory, as this machine has 64 GiB");
    return;
  }
  // If it took the memory nevertheless, the kernel would end this program and no other.
  const { told, left } = await exhaust("memory", ["choom", "--adjust", "1000", "--"]);
  assertEquals([told.length, left], [1, 0]);
  assertMatch(told[0]!, /ENOMEM: Cannot make a mirror ring: 68719476736 bytes are needed and \d+/);
});

Deno.test("LeapfrogRing loses nothing when the kernel has no mappings left", async () => {
  const { told } = await exhaust("mappings");
  if (told[0] === "unlimited") {
    console.log("NOT TESTED: a window that cannot move, as vm.max_map_count is above 200000");
    return;
  }
  const last = Array.from({ length: 9 }, (_, i) => pageSize() - 12 + i & 0xff);
  const more = Array(20).fill(77);
  if (told[0] === "leapt") {
    assertEquals(told[2], [...last, ...Array(20).fill(0), ...more].join());
  } else {
    assertMatch(told[0]!, /^Cannot (re)?move a window of a leapfrog ring: the kernel has no/);
    assertEquals(told.slice(1, 3), ["true", [...last, ...more].join()]);
  }
  const [made, lostFds] = told.slice(3);
  assertMatch(made!, /^made$|a leapfrog ring/);
  assertEquals(lostFds, "0");
});

Deno.test("a Mapping for reading only ends the process that writes to it", async () => {
  await using child = new Child(new URL("./child_read_only.ts", import.meta.url));
  const { signal, lines } = await child.ending();
  assertEquals([signal, lines], ["SIGSEGV", ["reads 0"]]);
});
