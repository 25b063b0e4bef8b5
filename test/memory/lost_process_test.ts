/** Every SIGBUS that is not of memory that is gone still ends the process; wherever it happens. */

import { assertEquals } from "@std/assert";
import { NO_PROCESS } from "../shared/processes.ts";

/** Runs a program, and returns the signal that ended it or its exit code, and its output. */
function run(program: string): [end: string | number, out: string] {
  const root = new URL("../../", import.meta.url);
  const output = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", program],
    cwd: root,
    stderr: "null",
  }).outputSync();
  return [output.signal ?? output.code, new TextDecoder().decode(output.stdout).trim()];
}

const PRELUDE = `
  import { Mapping } from "./src/memory/mapping.ts";
  import * as files from "./src/os/files.ts";
  const fd = files.memfd("vring-test");
  files.truncate(fd, 4096);
  const mapping = Mapping.ofFile(fd, { length: 4096, what: "a test" });
  files.truncate(fd, 0);
`;

Deno.test({
  name: "a SIGBUS at any other address ends the process, before and after one that did not",
  ignore: NO_PROCESS !== undefined,
  fn() {
    const foreign = `
      const libc = Deno.dlopen("libc.so.6", {
        mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "usize"], result: "pointer" },
      });
      const pointer = libc.symbols.mmap(0n, 4096n, 3, 1, fd, 0n);
      console.log(mapping.bytes[0], mapping.isLost);
      console.log(new Deno.UnsafePointerView(pointer).getUint8());
    `;
    assertEquals(run(PRELUDE + foreign), ["SIGBUS", "0 true"]);
    // Deno's own handler ignores the first one that is not a fault, and leaves the second to the kernel.
    const killed = 'for (let i = 0; i < 2; i++) Deno.kill(Deno.pid, "SIGBUS");';
    assertEquals(run(PRELUDE + killed)[0], run(killed)[0]);
    assertEquals(run(killed)[0], "SIGBUS");
  },
});

Deno.test({
  name: "a touch far down the stack, in hot code and in a Worker is survived",
  ignore: NO_PROCESS !== undefined,
  fn() {
    const deep = `
      const down = (n) => n === 0 ? mapping.bytes[0] : down(n - 1);
      console.log(down(5000), mapping.isLost);
    `;
    assertEquals(run(PRELUDE + deep), [0, "0 true"]);
    const hot = `
      const { bytes } = mapping;
      let sum = 0;
      for (let i = 0; i < 1e7; i++) sum += bytes[i & 4095];
      console.log(sum, mapping.isLost);
    `;
    assertEquals(run(PRELUDE + hot), [0, "0 true"]);
    const worker = `
      const source = ${
      JSON.stringify(PRELUDE.replaceAll('"./', `"${new URL("../../", import.meta.url)}`))
    } +
        "postMessage([mapping.bytes[0], mapping.isLost])";
      const url = "data:application/javascript," + encodeURIComponent(source);
      const worker = new Worker(url, { type: "module" });
      worker.onmessage = ({ data }) => (console.log(...data), worker.terminate());
    `;
    assertEquals(run(worker), [0, "0 true"]);
  },
});
