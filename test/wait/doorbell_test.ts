import { assertEquals, assertThrows } from "@std/assert";
import { OsError } from "../../src/errors.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import { Mapping } from "../../src/memory/mapping.ts";
import { Word64 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { Peer } from "../os/peer.ts";
import { Scene } from "./scene.ts";
import type { Task } from "./worker_waiter.ts";

const TOP = 2 ** 32 - 1;

Deno.test("a Doorbell is at its place of the layout", () => {
  using mapping = Mapping.anonymous(pageSize(), "a test");
  const bell = new Doorbell(mapping, { path: "test.bell", offset: 12 }, 128);
  assertEquals([bell.word.path, bell.word.address], ["test.bell", mapping.address + 140]);
  assertEquals(bell.mapping, mapping);
});

Deno.test("raise() makes the bell odd and gives its value", () => {
  using scene = Scene.make();
  const { bell } = scene.place;
  for (const [before, raised] of [[0, 1], [1, 1], [6, 7], [TOP - 1, TOP], [TOP, TOP]] as const) {
    bell.word.store(before);
    assertEquals(bell.raise(), raised);
    assertEquals(bell.word.load(), raised);
  }
});

Deno.test("ring() leaves a bell alone that nobody has raised", () => {
  using scene = Scene.make();
  const { bell } = scene.place;
  for (const even of [0, 2, 2 ** 31, TOP - 1]) {
    bell.word.store(even);
    bell.ring();
    assertEquals(bell.word.load(), even);
  }
});

Deno.test("ring() makes a raised bell even and counts, once", () => {
  using scene = Scene.make();
  const { bell } = scene.place;
  bell.raise();
  bell.ring();
  assertEquals(bell.word.load(), 2);
  bell.ring();
  assertEquals(bell.word.load(), 2);
  assertEquals(bell.raise(), 3);
});

Deno.test("ring() counts past 2^32 to 0", () => {
  using scene = Scene.make();
  const { bell } = scene.place;
  bell.word.store(TOP - 1);
  bell.raise();
  bell.ring();
  assertEquals(bell.word.load(), 0);
});

Deno.test("ring() throws an OsError when the kernel refuses", () => {
  using scene = Scene.make();
  const { bell } = scene.place;
  bell.raise();
  const wrong: Doorbell = Object.create(bell, {
    word: { value: { load: () => 1, address: bell.word.address + 1 } },
  });
  const error = assertThrows(() => wrong.ring(), OsError);
  assertEquals([error.syscall, error.code], ["futex", "EINVAL"]);
});

for (const start of [0, TOP - 1]) {
  Deno.test(`one ring() wakes every thread that sleeps on the bell at ${start}`, async () => {
    using scene = Scene.make(2);
    const { bell } = scene.place;
    bell.word.store(start);
    using stack = new DisposableStack();
    const peers: Peer<Task, string>[] = [];
    for (let i = 0; i < 3; i++) {
      const program = new URL("./worker_waiter.ts", import.meta.url);
      peers.push(stack.use(await Peer.start<Task, string>(program)));
    }
    const raised = peers.map((peer) => peer.ask({ path: scene.path, act: "sleep" }));
    assertEquals(await Promise.all(raised), Array(3).fill("raised"));
    bell.ring();
    const woken = await Promise.all(peers.map((peer) => peer.reply()));
    assertEquals(woken, Array(3).fill("woken"));
    assertEquals(bell.word.load(), (start + 2) % 2 ** 32);
  });
}

for (const raised of [false, true]) {
  Deno.test(`publish() does what store() and ring() do, the bell ${raised ? "up" : "down"}`, () => {
    using scenes = new DisposableStack();
    const [one, other] = [scenes.use(Scene.make()), scenes.use(Scene.make())];
    const words = [one, other].map(({ place: { bell } }) => {
      if (raised) bell.raise();
      return new Word64(bell.mapping, { path: "published", offset: 1024 });
    });
    one.place.bell.publish(words[0]!, 2 ** 53 - 1);
    words[1]!.store(2 ** 53 - 1);
    other.place.bell.ring();
    assertEquals(words[0]!.load(), words[1]!.load());
    assertEquals(one.place.bell.word.load(), other.place.bell.word.load());
  });
}
