/** The commands of `vring` among regions that a hostile peer has written: they report, and go on. */

import { assert, assertEquals } from "@std/assert";
import { domain } from "../../src/babus/definition.ts";
import { calls } from "../../src/calls/definition.ts";
import { circular } from "../../src/circular/definition.ts";
import { json } from "../../src/codec.ts";
import { mpsc } from "../../src/mpsc/definition.ts";
import { REGION_HEADER } from "../../src/region/header.ts";
import { regions } from "../../src/region/list.ts";
import { rwLock } from "../../src/shared/rw_lock.ts";
import { spsc } from "../../src/spsc/definition.ts";
import { struct } from "../../src/struct.ts";
import { namespace } from "../../src/testing/namespace.ts";
import { topic } from "../../src/vdds/definition.ts";
import { Random } from "../random.ts";
import { vring } from "./vring.ts";

/** The commands that look at everything .. */
const GENERAL = [
  "ls",
  "ls --json",
  "top --once --every 0.01",
  "hz ** --once --every 0.01",
  "bw ** --once --every 0.01",
  "lag ** --once --every 0.01 --json",
  "watch --timeout 0.02",
  "prometheus --once",
  "doctor",
  "clean --dry-run",
];

/** .. and at one region. */
const SINGLE = ["info", "why --wait 0.01", "echo --timeout 0.02", "delay --once --every 0.02"];

const Pose = struct("pose", { x: "f64", label: "u32" });

/** Makes a region of each kind with a message in it, and returns their files and contents. */
function filesOfAll(): [path: string, name: string, bytes: Uint8Array<ArrayBuffer>][] {
  using stack = new DisposableStack();
  const use = <D extends Disposable>(handle: D) => stack.use(handle);
  use(spsc("ring", { type: Pose, capacity: 4096 }).producer()).trySend({ x: 1, label: 2 });
  use(mpsc("many", { type: json<unknown>(64), capacity: 4096 }).producer()).trySend([1]);
  const poses = { type: Pose, depth: 4, subscribers: 2, history: 2 };
  use(topic("t", poses).publisher()).trySend({ x: 1, label: 2 });
  use(topic("t", poses).subscriber());
  use(circular("log", { type: Pose, capacity: 4096 }).writer()).trySend({ x: 1, label: 2 });
  use(domain("d", { s: { type: Pose } }).open()).slots.s.writeSync({ x: 1, label: 2 });
  use(calls("work", { clients: 2, capacity: 4096 }).client());
  use(rwLock("lock").open()).tryWrite();
  return regions().map(({ path, name }) => [path, name, Deno.readFileSync(path)]);
}

/** A region without data, as its header says. */
function withoutData(bytes: Uint8Array): Uint8Array {
  const { data_offset } = REGION_HEADER.read(bytes);
  const short = bytes.slice(0, Number(data_offset));
  const { offset } = REGION_HEADER.fields.byte_length;
  new DataView(short.buffer).setBigUint64(offset, data_offset, true);
  return short;
}

/** Writes odd values into a copy: a few anywhere, many behind the header, or a file cut short. */
function spoiled(bytes: Uint8Array, chance: Random, round: number): Uint8Array {
  if (round % 4 === 3) {
    return chance.chance(0.7) ? withoutData(bytes) : bytes.slice(0, chance.below(bytes.length));
  }
  const odd = [0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff];
  const copy = bytes.slice();
  const words = new Uint32Array(copy.buffer, 0, copy.length >>> 2);
  const from = round % 4 === 0 ? 0 : REGION_HEADER.size >>> 2;
  for (let i = 0; i < (round % 4 === 1 ? 4 : 200); i++) {
    const at = from + chance.below(Math.min(words.length, 4096) - from);
    words[at] = chance.next() < 0.5 ? odd[chance.below(odd.length)]! : chance.next() * 2 ** 32;
  }
  return copy;
}

/** One of each kind of damage. */
const ROUNDS = 4;

Deno.test("every command ends in order among regions with any contents", async () => {
  using _place = namespace();
  const all = filesOfAll();
  assertEquals(all.length, 7);
  const chance = new Random("hostile regions");
  const run = async (line: string, round: number) => {
    const { code, err } = await vring(line);
    assert(code === 0 || code === 1, `round ${round}: vring ${line}: ${code} ${err}`);
  };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [path, , bytes] of all) Deno.writeFileSync(path, spoiled(bytes, chance, round));
      for (const line of GENERAL) await run(line, round);
      for (const [, name] of all) {
        for (const line of SINGLE) await run(line.replace(/ |$/, ` ${name} `), round);
      }
    }
  } finally {
    for (const [path] of all) Deno.removeSync(path);
  }
});
