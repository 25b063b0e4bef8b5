/** Two copies of the module in one process, as two dependencies may bring: their handles mix. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as first from "../mod.ts";

/** The module once more: a query after its name would leave the files that it imports shared. */
async function copyOfModule(): Promise<typeof first> {
  const folder = await Deno.makeTempDir();
  try {
    const copy = async (path: string): Promise<void> => {
      const [from, to] = [new URL(`../${path}`, import.meta.url), `${folder}/${path}`];
      if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
      await Deno.mkdir(to);
      for await (const { name } of Deno.readDir(from)) await copy(`${path}/${name}`);
    };
    for (const path of ["mod.ts", "src"]) await copy(path);
    return await import(`file://${folder}/mod.ts`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const second = await copyOfModule();
const NAME = `copies-${Deno.pid}`;
const bytes = Uint8Array.of(1, 2, 3);

Deno.test("waitAny() waits for handles of another copy, asleep and awake", async () => {
  assert(first.spsc !== second.spsc);
  using producer = first.spsc(NAME).producer();
  using consumer = second.spsc(NAME).consumer();
  using own = first.domain(NAME, { slot: {} }).open();
  const { slot } = own.slots;
  const both = [slot, consumer] as const;
  for (const { waitAny, waitAnySync } of [first, second]) {
    const waiting = waitAny(both, { spin: 0 });
    await new Promise((resolve) => setTimeout(resolve, 0));
    producer.trySend(bytes);
    assertEquals(await waiting, consumer);
    assertEquals(waitAnySync(both), consumer);
    assertEquals(consumer.tryReceive()?.value, bytes);
  }
});

Deno.test("a Listener listens to slots of another copy", async () => {
  using one = first.domain(NAME).open();
  using other = second.domain(NAME).open();
  const [imu, log] = [one.slot("imu"), other.slot("log")];
  using listener = new second.Listener().add(imu).add(log);
  for (const slot of [imu, log]) {
    const news = listener.wait();
    slot.writeSync(bytes);
    assertEquals((await news).map(({ name }) => name), [slot.name]);
  }
  imu.close();
  await assertRejects(() => listener.wait(), Error, 'slot "imu": it is closed');
});

Deno.test("a struct of one copy is a type of the other, and closing one leaves the other open", () => {
  const pair = first.struct("pair", { a: "u8", b: "u8" });
  const options = { type: pair };
  const [one, other] = [first.topic(NAME, options), second.topic(NAME, options)];
  using publisher = one.publisher();
  const subscriber = other.subscriber();
  using stays = one.subscriber();
  publisher.trySend({ a: 1, b: 2 });
  subscriber.close();
  assertEquals(stays.tryReceive()?.value, { a: 1, b: 2 });
});
