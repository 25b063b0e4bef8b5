/**
 * The ring of native/pi, built for Unix and for the Pi. `deno task pi` runs both; where a tool is
 * missing, the tests say so.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PI_ENTRIES } from "../../tutorials/02_page_tables/recorded_pi.ts";
import { hex } from "../../tutorials/02_page_tables/tables.ts";
import { type Outcome, runOnPi, runOnUnix, ToolMissingError } from "../../native/pi/run.ts";

const HERE = new URL("../../native/pi/", import.meta.url);

async function unlessMissing(
  run: () => Outcome | Promise<Outcome>,
  judge: (outcome: Outcome) => void,
): Promise<void> {
  let outcome;
  try {
    outcome = await run();
  } catch (error) {
    if (!(error instanceof ToolMissingError)) throw error;
    console.log(`NOT TESTED: native/pi: ${error.message}`);
    return;
  }
  judge(outcome);
}

/** The folder with one file changed. */
class Changed implements Disposable {
  readonly url: URL;
  readonly #folder = Deno.makeTempDirSync();

  constructor(file: string, from: string, to: string) {
    this.url = new URL(`file://${this.#folder}/`);
    for (const { name } of Deno.readDirSync(HERE)) {
      const text = Deno.readTextFileSync(new URL(name, HERE));
      if (name === file) assertStringIncludes(text, from);
      const changed = name === file ? text.replace(from, to) : text;
      Deno.writeTextFileSync(new URL(name, this.url), changed);
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

Deno.test("the ring of native/pi holds its checks on Unix", async () => {
  await unlessMissing(runOnUnix, ({ output, held, success }) => {
    assertEquals([held, success], [12, true], output);
  });
});

Deno.test("the checks of native/pi notice a ring whose second window is other memory", async () => {
  using changed = new Changed(
    "unix.c",
    "mmap(base + capacity, capacity, access, flags, fd, 0)",
    "mmap(base + capacity, capacity, access, flags | MAP_ANONYMOUS, -1, 0)",
  );
  await unlessMissing(() => runOnUnix(changed.url), ({ failed, success }) => {
    assertEquals(success, false);
    assertEquals(failed.map((line) => /\d+/.exec(line)![0]), ["1", "2", "3"]);
  });
});

Deno.test("the checks of native/pi notice a ring that leaves a byte unused", async () => {
  using changed = new Changed(
    "vm_ring.c",
    "return ring->capacity - vm_ring_available(ring);",
    "return ring->capacity - 1 - vm_ring_available(ring);",
  );
  await unlessMissing(() => runOnUnix(changed.url), ({ failed }) => {
    assertStringIncludes(failed[0]!, "every byte of the capacity can be used");
  });
});

Deno.test("the ring of native/pi holds its checks on an emulated Pi, with the faults of its tables", async () => {
  await unlessMissing(runOnPi, ({ output, held, success }) => {
    assertEquals([held, success], [20, true], output);
    const [first, second] = output.match(/^ {2}0x40[01]00000 {2}entry .*$/gm)!;
    assertEquals(first!.slice(-8), second!.slice(-8)); // two descriptors with one base
    assertStringIncludes(output, "processor 0x410fb767");
    assertStringIncludes(output, "ok 1 - a word stored through the first window"); // chapter 2
    assertStringIncludes(output, "before the TLB forgets: the old memory"); // tells both
    for (const [address, entry] of PI_ENTRIES) {
      assertMatch(output, new RegExp(`^ {2}${hex(address)} {2}entry \\d+: ${hex(entry)} `, "m"));
    }
  });
});
