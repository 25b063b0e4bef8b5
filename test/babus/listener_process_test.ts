/**
 * Listeners in threads and processes: which slots they report, when they wake up, and that they
 * sleep through no message.
 */

import { assert, assertEquals } from "@std/assert";
import { sharedMemory } from "../../src/shared/shared_memory.ts";
import { until } from "../os/until.ts";
import { payload } from "../circular/scene.ts";
import { Party, type Where } from "../shared/party.ts";
import { NO_PROCESS, processTests } from "../shared/processes.ts";
import type { Tools } from "./babus_child.ts";
import { Inside, Scene } from "./scene.ts";

const PROGRAM = new URL("./babus_child.ts", import.meta.url);
const { test, startProcess } = processTests<Tools>(PROGRAM, "listeners");

const HOWS = ["waitSync", "wait", "for await"] as const;

/** Listens until it has heard so often, and gives what it has heard each time. */
async function listen(
  { domain, Listener }: Tools,
  { name, how, rounds }: { name: string; how: typeof HOWS[number]; rounds: number },
): Promise<string[]> {
  const sizes = { depth: 4, size: 256 };
  using robot = domain(name, { a: sizes, b: sizes, quiet: sizes }).open();
  const { a, b, quiet } = robot.slots;
  using listener = new Listener().add(a).add(b, { wake: false }).add(quiet);
  const heard: string[] = [];
  const note = (news: readonly { readonly name: string }[]) => {
    heard.push(news.map(({ name }) => name).join(" and "));
  };
  if (how === "for await") {
    for await (const news of listener) {
      note(news);
      if (heard.length === rounds) return heard;
    }
  }
  while (heard.length < rounds) {
    note(how === "waitSync" ? listener.waitSync({ spin: 0 }) : await listener.wait({ spin: 0 }));
  }
  return heard;
}

for (const where of ["thread", "process"] satisfies Where[]) {
  Deno.test({
    name:
      `a listener in another ${where} reports a slot that does not wake it along with one that does`,
    ignore: where === "process" && NO_PROCESS !== undefined,
    fn: async () => {
      await using party = Party.start<Tools>(PROGRAM, where);
      for (const how of HOWS) {
        using scene = new Scene();
        const [a, b] = [scene.slot("a"), scene.slot("b")];
        scene.slot("quiet");
        using insideA = new Inside(scene, "a");
        using insideB = new Inside(scene, "b");
        const bell = insideA.word("bell");
        const listening = party.run(listen, { name: scene.name, how, rounds: 3 });
        for (let i = 1; i <= 3; i++) {
          await until("it sleeps", () => bell.load() % 2 === 1); // again, after its wake-up
          for (let j = 0; j < 20; j++) b.writeSync(payload(j, 10));
          assertEquals(insideB.word("bell").load(), 0); // no one to wake
          if (i === 2) continue; // and so no listener has reported it
          a.writeSync(payload(i, 10));
        }
        await until("it sleeps", () => bell.load() % 2 === 1);
        a.writeSync(payload(9, 10));
        assertEquals(await listening, ["a and b", "a and b", "a"], how);
      }
    },
  });
}

/** How often a process has gone to sleep, which is once more than it was woken. */
function sleepsOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/status`);
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)![1]);
}

test("a listener is woken by its own slots, once for each write, and by no others", async () => {
  using scene = new Scene();
  using memory = sharedMemory(scene.name, { size: 4 }).open();
  const heard = memory.as(Uint32Array);
  const quiet = scene.slot("quiet");
  const end = scene.slot("end");
  const busy = Array.from({ length: 31 }, (_, i) => scene.slot(`busy${i}`));
  using inside = new Inside(scene, "quiet");
  const bell = inside.word("bell");
  await using party = startProcess();
  const listening = party.run(({ domain, Listener, sharedMemory }, name) => {
    using memory = sharedMemory(name, { size: 4 }).open({ open: "join" });
    const sizes = { depth: 4, size: 256 };
    using robot = domain(name, { quiet: sizes, end: sizes }).open();
    const { quiet, end } = robot.slots;
    using listener = new Listener().add(quiet).add(end);
    while (end.sequence === 0) memory.as(Uint32Array)[0]! += listener.waitSync({ spin: 0 }).length;
  }, scene.name);
  const asleep = () =>
    until("it sleeps", () => {
      return heard[0] === quiet.sequence && bell.load() % 2 === 1 && party.state === "S";
    });
  const acts: [wakes: number, act: () => Promise<void> | void][] = [
    [0, () => busy.forEach((slot) => slot.writeSync(payload(1, 10)))],
    [0, () => {
      for (let i = 0; i < 620; i++) busy[i % 31]!.writeSync(payload(i, 10));
    }],
    [1, () => void quiet.writeSync(payload(1, 10))],
    [2, async () => {
      quiet.writeSync(payload(1, 10));
      await asleep();
      quiet.writeSync(payload(2, 10));
    }],
  ];
  for (const [wakes, act] of acts) {
    // More calls than these are ends of slices; some attempt has none.
    const least = async (attempts: number): Promise<number> => {
      await asleep();
      const before = sleepsOf(party.pid);
      await act();
      await asleep();
      const slept = sleepsOf(party.pid) - before;
      assert(slept >= wakes, `${slept} of ${wakes} wakes`);
      return slept === wakes || attempts === 1 ? slept : await least(attempts - 1);
    };
    assertEquals(await least(30), wakes);
  }
  for (const { name } of busy) {
    using inside = new Inside(scene, name);
    assertEquals(inside.word("bell").load(), 0); // not one system call
  }
  end.writeSync(payload(1, 10));
  await listening;
});
