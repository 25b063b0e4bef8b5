/**
 * Opening any product while another process is stopped or killed, opens at the same moment, or when
 * the kernel refuses a call or memory.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { LayoutMismatchError, OsError, RoleTakenError } from "../../src/errors.ts";
import { until } from "../os/until.ts";
import { openSoon, processTests } from "../shared/processes.ts";
import { Name } from "../shared/scene.ts";
import type { Tools } from "./contract_child.ts";
import { PRODUCTS } from "./products.ts";
import { UnderTest } from "./under_test.ts";

const { test, mountTest, startProcess } = processTests<Tools>(
  new URL("./contract_child.ts", import.meta.url),
  "opening",
);

const REGIONS = PRODUCTS.filter(({ semaphore }) => !semaphore);

/** Names that a killed sender had open, by the way in which each is tested. */
interface Remains {
  readonly opened: Name;
  readonly created: Name;
  readonly unlinked: Name;
  readonly joined: Name;
  readonly kept: Name;
}

/** Attempts again and again while the error is one of a kernel that still holds locks of the dead. */
async function soon<T>(attempt: () => T, passes: (error: Error & { code?: string }) => boolean) {
  let outcome: [Awaited<T>] | undefined;
  await until("the kernel drops the locks of the dead", async () => {
    try {
      outcome = [await attempt()];
    } catch (error) {
      if (!passes(error as Error)) throw error;
    }
    return outcome !== undefined;
  });
  return outcome![0];
}

function checkStopped({ product, roles, small }: UnderTest, { opened, created }: Remains): void {
  for (const role of roles) {
    const { most, create } = role;
    if (most === 1) {
      assertThrows(() => role.open(created.name, small), RoleTakenError, created.name);
    }
    if (create) assertThrows(() => create(created.name, small), OsError, "EEXIST");
  }
  using joined = product.receiver.open(opened.name, small);
  assert(joined.finds!(), "the mark of the stopped process is missing");
}

async function checkKilled(tested: UnderTest, remains: Remains): Promise<void> {
  const { product: { fleeting, locks }, sender, receiver, small, bigger } = tested;
  const { opened, created, unlinked, joined, kept } = remains;

  assertEquals([sender.unlink?.(unlinked.name) ?? true, tested.exists(unlinked)], [
    true,
    sender.unlink === undefined,
  ]);
  {
    const open = () => receiver.open(opened.name, bigger);
    using next = await soon(open, (error) => error instanceof LayoutMismatchError);
    if (Object.keys(bigger).length === 0) await until("it is new", () => !next.finds!());
    assertEquals(next.finds!(), false);
  }
  assert(!tested.exists(opened));
  if (receiver.create) {
    const create = () => receiver.create!(created.name, bigger);
    using next = await soon(create, ({ code }) => code === "EEXIST");
    assertEquals(next.finds!(), false);
  }
  for (const join of Object.values(tested.waits(receiver))) {
    await until("there is nothing to join", async () => {
      try {
        const handle = await join(joined.name);
        handle?.close();
        return handle === undefined;
      } catch (error) {
        const { name, code } = error as Error & { code?: string };
        return name === "TimeoutError" || code === "ENOENT";
      }
    });
  }
  if (fleeting) return;
  using heir = receiver.open(kept.name, small); // at once, whatever the kernel has dropped
  if (locks) await until("the lock is free", () => !heir.finds!());
  else assert(heir.finds!(), "the mark of the dead process is missing");
  (await openSoon(() => sender.open(kept.name, small))).close();
}

test("a stopped process keeps its role, and the next opener replaces or adopts what a killed one left", async (t) => {
  using stack = new DisposableStack();
  const name = () => stack.use(new Name());
  const cases = REGIONS.map((product) => ({
    tested: new UnderTest(product),
    remains: { opened: name(), created: name(), unlinked: name(), joined: name(), kept: name() },
  }));
  await using party = startProcess();
  for (const { tested: { product }, remains: { kept, ...others } } of cases) {
    await party.run(({ productOf, smallSizes, handles }, { product, names, both, kept }) => {
      const it = productOf(product);
      for (const name of [...names, kept]) {
        const persist = name === kept && !it.fleeting ? { persist: true } : {};
        const handle = it.sender.open(name, { ...smallSizes(it), ...persist });
        handle.mark!();
        handles.push(handle);
        if (name === both) handles.push(it.receiver.open(name, smallSizes(it)));
      }
    }, {
      product: product.name,
      names: Object.values(others).map(({ name }) => name),
      both: others.created.name,
      kept: kept.name,
    });
  }
  party.signal("SIGSTOP");
  await until("it is stopped", () => party.state === "T");
  for (const { tested, remains } of cases) {
    await t.step(`${tested.product.name}: stopped`, () => checkStopped(tested, remains));
  }
  await party.kill();
  for (const { tested, remains } of cases) {
    await t.step(`${tested.product.name}: killed`, () => checkKilled(tested, remains));
  }
});

/** Both ends of each product. */
const ENDS = REGIONS.flatMap(({ name: product, sender, receiver }) =>
  [
    { product, end: "sender", peer: "receiver", creates: sender.create !== undefined },
    { product, end: "receiver", peer: "sender", creates: receiver.create !== undefined },
  ] as const
);

test("open() joins what another one makes at the same moment, and create() refuses it", async () => {
  using name = new Name();
  await using party = startProcess({ trapped: true });
  for (const at of ENDS) {
    for (const way of ["open", "open without sizes", "create"] as const) {
      if (way === "create" && !at.creates) continue;
      const outcome = await party.run((tools, { product, end, peer, way, name }) => {
        const { productOf, smallSizes, errorOf, actBefore, filesOf } = tools;
        const { sizes, defines, [end]: role, [peer]: other } = productOf(product);
        const small = smallSizes({ sizes });
        const mayAskNothing = !defines &&
          Object.values(sizes).every(({ usual }) => usual !== undefined);
        const asked = way === "open without sizes" && mayAskNothing ? {} : small;
        let made: ReturnType<typeof other.open> | undefined;
        actBefore("link", () => made = other.open(name, small));
        let met: boolean | undefined;
        const error = errorOf(() => {
          using handle = way === "create" ? role.create!(name, asked) : role.open(name, asked);
          const [from, to] = end === "sender" ? [handle, made!] : [made!, handle];
          from.mark!();
          met = to.finds!();
        });
        made?.close();
        return [error ? error.code ?? `${error}` : met ? "met" : "did not meet", ...filesOf(name)];
      }, { ...at, way, name: name.name });
      const expected = way === "create" ? "EEXIST" : "met";
      assertEquals(outcome, [expected], `${at.product}, ${at.end}: ${way}`);
    }
  }
});

test("opening that fails at any call to the kernel leaves nothing behind", async () => {
  using name = new Name();
  await using party = startProcess({ trapped: true });
  for (const at of ENDS) {
    const { failures, problems } = await party.run((tools, { product, end, peer, name }) => {
      const { productOf, smallSizes, errorOf, wasRefused, withRefusal, held, filesOf } = tools;
      const { [end]: role, [peer]: other, sizes } = productOf(product);
      const small = smallSizes({ sizes });
      const ENOMEM = 12;
      const calls = ["open", "stat", "read", "chmod", "allocate", "link", "map", "open lock file"];
      const problems: string[] = [];
      let failures = 0;
      for (const isThere of [false, true]) {
        using _made = isThere ? other.open(name, small) : null;
        const state = () => `${held()} ${filesOf(name)}`;
        const before = state();
        for (const call of calls) {
          for (let time = 1; time === 1 || wasRefused(); time++) {
            const error = errorOf(() => {
              const open = () => role.open(name, small);
              using _opened = withRefusal(call, -ENOMEM, open, time);
            });
            if (error !== undefined) failures++;
            if (error !== undefined && error.code !== "ENOMEM") problems.push(`${call}: ${error}`);
            if (state() !== before) problems.push(`${call} ${time}: ${before}, then ${state()}`);
          }
        }
      }
      return { failures, problems };
    }, { ...at, name: name.name });
    assertEquals(problems, [], `${at.product}, ${at.end}`);
    assert(failures >= 10, `${at.product}, ${at.end}: only ${failures} failures`);
  }
});

mountTest("a full /dev/shm is an error that says what is needed, and makes nothing", async () => {
  await using party = startProcess({ shmBytes: 2 ** 20 });
  for (const at of ENDS) {
    const { error, left } = await party.run((tools, { product, end }) => {
      const { productOf, smallSizes, errorOf, fill, held, filesOf } = tools;
      const { [end]: role, sizes } = productOf(product);
      const open = () => role.open("full", smallSizes({ sizes })).close();
      open(); // fits, and the library's own memory exists now
      const before = held();
      const error = errorOf(() => fill(open));
      const left = [...filesOf("full"), ...held().map((count, i) => count - before[i]!)];
      return { error: `${error}`, left };
    }, at);
    const says = /^OsError: .*"full[a-z/]*": .* free and .* needed .*ENOSPC/;
    assert(says.test(error), `${at.product}, ${at.end}: ${error}`);
    assertEquals(left, [0, 0]);
  }
});
