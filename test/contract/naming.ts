/**
 * Names and files of any product: which names it accepts, how long a file stays, which owner and mode
 * it has, and how a foreign or damaged file is refused.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { CorruptRegionError, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { regions } from "../../src/region/list.ts";
import { NO_ROOT } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import { type Product, smallSizes } from "./product.ts";
import { assertSizes, keepsNothing, meet, refusal, UnderTest } from "./under_test.ts";

/** Some user that no file belongs to. */
const STRANGER = 54_321;

/** Registers the tests for a product. `stranger` is one with another type of region. */
export function testNaming(product: Product, stranger: Product): void {
  const tested = new UnderTest(product);
  testNames(tested);
  testUnlink(tested);
  testMode(tested);
  testLink(tested);
  if (!product.fleeting) testPersist(tested);
  if (product.semaphore) return;
  testLastOut(tested);
  testOwner(tested);
  testForeign(tested, stranger);
}

function testNames(tested: UnderTest): void {
  const { product, sender, receiver, small } = tested;
  const { slashes, longest = 200 } = product;
  const bad: Record<string, string> = {
    "": "empty",
    "/": "empty",
    ".": "directories",
    "..": "directories",
    ["a".repeat(201)]: "use at most 200",
    " ": '" "',
    "a~b": '"~"',
    "a\0b": '"\\u0000"',
    "lock\n": '"\\n"',
    "größe": '"ö"',
    "🔒": '"🔒"',
    ...slashes
      ? { "a//b": "two slashes", "a/": "ends with a slash", "a/../b": "directories" }
      : { "a/b": 'it contains "/", and only topics', "//a": '"/"' },
  };

  tested.test("every way in and unlink() refuse an impossible name", async () => {
    const unlinks = tested.roles.flatMap(({ unlink }) =>
      unlink ? [(name: string) => Promise.try(unlink, name)] : []
    );
    await keepsNothing(async () => {
      for (const [name, problem] of Object.entries(bad)) {
        const told = `Cannot use ${JSON.stringify(name).slice(0, -1)}`; // a source may follow
        for (const attempt of [...tested.allWays, ...unlinks]) {
          await refusal(() => attempt(name), TypeError, told, problem);
        }
      }
    });
  });

  tested.test(`a name may have ${longest} characters of every kind`, (place) => {
    const name = `${place.name}.AZaz09_-${".".repeat(200)}`.slice(0, longest);
    using one = sender.open(name, small);
    using another = receiver.open(name, small);
    assert(place.files().includes(product.file(name)));
    meet(one, another);
  });

  tested.test("a leading slash does not count", (place) => {
    using one = sender.open(`/${place.name}`, small);
    using another = tested.open(receiver, place);
    meet(one, another);
  });

  if (!slashes) return;
  tested.test("slashes are a part of the name", ({ name }) => {
    const names = [`${name}/a`, `${name}/a/b`, `${name}/b`, `${name}-a`];
    using stack = new DisposableStack();
    const receivers = names.map((name) => stack.use(receiver.open(name, small)));
    const senders = names.map((name) => stack.use(sender.open(name, small)));
    for (const [i, sender] of senders.entries()) {
      sender.mark!();
      assertEquals(receivers.map((one) => one.finds!()), receivers.map((_, j) => i === j));
    }
  });
}

function testUnlink(tested: UnderTest): void {
  const { sender, receiver, bigger } = tested;
  for (const role of tested.roles.filter(({ unlink }) => unlink)) {
    const title =
      `a ${role.title}'s unlink() keeps open handles working, and newcomers make another`;
    tested.test(title, async (place) => {
      const unlink = (by = role) => by.unlink!(place.name);
      await keepsNothing(() => assertEquals(unlink(), false));
      using oldSender = tested.open(sender, place);
      using oldReceiver = tested.open(receiver, place);
      assertEquals([unlink(), unlink(tested.other(role)), place.files()], [true, false, []]);
      using newReceiver = tested.open(receiver, place, bigger);
      using newSender = tested.open(sender, place, bigger);
      oldSender.mark!();
      assertEquals([newReceiver, oldReceiver].map((one) => one.finds!()), [false, true]);
      meet(newSender, newReceiver);
      const inode = tested.inode(place);
      oldSender.close();
      oldReceiver.close(); // the last one, which no longer owns the name
      assertEquals(tested.inode(place), inode);
    });
  }
}

function testMode(tested: UnderTest): void {
  const { semaphore } = tested.product;
  for (const role of tested.roles) {
    tested.test(`a ${role.title} gives a new file its mode, ${semaphore ? "less" : "whatever"} the umask`, (place) => {
      const umask = Deno.umask(0o027);
      try {
        const modes = [[undefined, 0o600], [0o640, 0o640], [0o666, semaphore ? 0o640 : 0o666]];
        for (const [mode, expected] of modes) {
          using _made = tested.open(role, place, { ...mode !== undefined && { mode } });
          using _joined = tested.open(tested.other(role), place, { mode: 0o604 }); // too late
          assertEquals(Deno.statSync(tested.path(place)).mode! & 0o7777, expected);
          if (semaphore) role.unlink!(place.name);
        }
      } finally {
        Deno.umask(umask);
      }
    });

    if (semaphore) continue;
    tested.test(`a ${role.title} refuses an impossible mode, and makes nothing`, async (place) => {
      const { open, create = open } = tested.ways(role);
      for (const mode of [-1, 0.5, NaN, 0o1000, 0o10000]) {
        for (const make of [open!, create!]) {
          await refusal(() => make(place.name, { mode }), RangeError, "mode", mode);
        }
      }
      assertEquals(place.files(), []);
    });
  }
}

function testLink(tested: UnderTest): void {
  tested.test("a symbolic link is not followed", async (place) => {
    using elsewhere = new Name();
    using _target = tested.open(tested.receiver, elsewhere);
    Deno.symlinkSync(tested.path(elsewhere), tested.path(place));
    await keepsNothing(async () => {
      for (const attempt of tested.allWays) {
        const { code } = await refusal(() => attempt(place.name), OsError, tested.called(place));
        assertEquals(code, "ELOOP");
      }
    });
  });
}

function testPersist(tested: UnderTest): void {
  const { product, sender, receiver, small } = tested;
  for (const role of tested.roles) {
    const peer = tested.other(role);

    tested.test(`a ${role.title} that persists keeps what others made, and its contents`, async (place) => {
      using made = tested.open(peer, place);
      using keeper = tested.open(role, place, { persist: true });
      (role === sender ? keeper : made).mark!();
      const inode = tested.inode(place);
      keeper.close();
      made.close();
      const info = regions().find(({ path }) => path === tested.path(place));
      assertEquals([info?.inUse, info?.details?.persist], [false, true]);
      for (const join of Object.values(tested.waits(role))) (await join(place.name))!.close();
      {
        using again = tested.open(receiver, place);
        assertEquals([again.finds!(), tested.inode(place)], [
          !product.locks && !product.withdraws,
          inode,
        ]);
      }
      assert(tested.exists(place));
      assertEquals([role.unlink!(place.name), place.files()], [true, []]);
    });

    tested.test(`a ${role.title} that persists keeps what it makes, or joins`, (place) => {
      const mayAskNothing = tested.mayAskNothing;
      tested.open(role, place, { persist: true }).close();
      assert(peer.unlink!(place.name));
      const made = tested.open(peer, place);
      using keeper = role.open(place.name, { ...!mayAskNothing && small, persist: true });
      assertSizes(keeper, small);
      keeper.close();
      made.close();
      assert(peer.unlink!(place.name));
    });
  }
}

function testLastOut(tested: UnderTest): void {
  const { sender, receiver, bigger } = tested;
  tested.test("without persist the last handle removes everything, and the next one is new", (place) => {
    const [one, another] = [tested.open(receiver, place), tested.open(sender, place)];
    another!.mark!();
    for (const handle of [one, another]) handle!.close();
    using next = tested.open(receiver, place, bigger);
    assertSizes(next, bigger);
    assertEquals(next.finds!(), false);
  });
}

function testOwner(tested: UnderTest): void {
  tested.test("another user's file is refused without anyOwner", async (place) => {
    for (const role of tested.roles) {
      using made = tested.open(tested.other(role), place);
      Deno.chownSync(tested.path(place), STRANGER, STRANGER);
      await keepsNothing(async () => {
        for (const attempt of Object.values(tested.ways(role))) {
          const told = [tested.called(place), STRANGER, "anyOwner"];
          const { code } = await refusal(() => attempt(place.name), OsError, ...told);
          assertEquals(code, "EACCES");
        }
      });
      for (const join of Object.values(tested.joins(role))) {
        using trusting = (await join(place.name, { anyOwner: true }))!;
        meet(made, trusting);
      }
    }
  }, NO_ROOT !== undefined);
}

/** Things other than a region that can have the name. */
const FOREIGN: Record<string, (path: string) => Disposable | void> = {
  "an empty file": (path) => Deno.writeFileSync(path, new Uint8Array(0)),
  "a file of one byte": (path) => Deno.writeFileSync(path, new Uint8Array(1)),
  "a file of zeros": (path) => Deno.writeFileSync(path, new Uint8Array(10_000)),
  "a file of other bytes": (path) =>
    Deno.writeFileSync(path, new Uint8Array(10_000).map((_, i) => 1 + i % 251)),
  "a directory": (path) => Deno.mkdirSync(path),
  "a symbolic link to nothing": (path) => Deno.symlinkSync(`${path}.nowhere`, path),
  "a FIFO": (path) => void new Deno.Command("mkfifo", { args: [path] }).outputSync(),
  "a socket": (path) => Deno.listen({ transport: "unix", path }), // which removes it
};

function testForeign(tested: UnderTest, stranger: Product): void {
  const { product, roles } = tested;
  const { unlink } = tested.sender;
  const classes = [LayoutMismatchError, OsError];
  const damage = [CorruptRegionError, LayoutMismatchError];

  tested.test("every way in refuses a foreign file, and leaves it unchanged", async (place) => {
    const path = tested.path(place);
    for (const [thing, put] of Object.entries(FOREIGN)) {
      using listener = put(path) ?? null;
      const look = () => {
        const { ino, size, mtime } = Deno.lstatSync(path);
        return { thing, ino, size, mtime };
      };
      const before = look();
      await keepsNothing(async () => {
        for (const attempt of tested.allWays) {
          const told = /directory|FIFO|socket/.test(thing) ? [`is ${thing}`] : [];
          await refusal(() => attempt(place.name), classes, tested.called(place), ...told);
        }
      });
      assertEquals(look(), before);
      if (unlink && thing.includes("file")) assert(unlink(place.name));
      else {
        if (unlink) await refusal(() => Promise.try(unlink, place.name), classes);
        if (listener === null) Deno.removeSync(path);
      }
    }
  });

  tested.test("a file whose length contradicts its header is refused", async (place) => {
    const path = tested.path(place);
    for (const role of roles) {
      using _living = tested.open(tested.other(role), place);
      const { size } = Deno.statSync(path);
      for (const wrong of [size - 1, size + 1, 2 * size, 100]) { // and the last ends in the header
        Deno.truncateSync(path, wrong);
        await keepsNothing(async () => {
          for (const join of Object.values(tested.joins(role))) {
            await refusal(() => join(place.name), damage, tested.called(place));
          }
        });
        Deno.truncateSync(path, size);
      }
    }
  });

  const ownName = (file: string) => file.replace(/^vring\.[a-z_]+\./, "");
  if (product.defines && ownName(product.file("x")) === "x") {
    tested.test("a handle that finds only another product of its name names that one", async (place) => {
      using _living = stranger.receiver.open(place.name, smallSizes(stranger));
      const kind = stranger.file("").split(".")[1];
      const told = [tested.called(place), `a region of type "${kind}" has this name`];
      for (const join of roles.flatMap((role) => Object.values(tested.waits(role)))) {
        await refusal(() => join(place.name), [OsError, DOMException], ...told);
      }
    });
  }

  tested.test("a region of another product is refused, and the error names both types", async (place) => {
    using elsewhere = new Name();
    using _living = stranger.receiver.open(elsewhere.name, smallSizes(stranger));
    Deno.linkSync(`/dev/shm/${stranger.file(elsewhere.name)}`, tested.path(place));
    const types = [stranger, product].map(({ file }) => `"${file("").split(".")[1]}"`);
    await keepsNothing(async () => {
      for (const join of roles.flatMap((role) => Object.values(tested.joins(role)))) {
        const told = [tested.called(place), ...types];
        await refusal(() => join(place.name), LayoutMismatchError, ...told);
      }
    });
  });
}
