/**
 * Opening any product: handles open and close in any order, types and sizes must agree, a role has
 * a limited number of holders, and a failed open leaves nothing behind.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { LayoutMismatchError, OsError, RoleTakenError } from "../../src/errors.ts";
import { regions } from "../../src/region/list.ts";
import { pageSize } from "../../src/os/page.ts";
import type { Name } from "../shared/scene.ts";
import type { Options, Product, Role } from "./product.ts";
import { assertSizes, held, keepsNothing, meet, refusal, UnderTest } from "./under_test.ts";

/** Registers the tests for a product. */
export function testOpening(product: Product): void {
  const tested = new UnderTest(product);
  testOrder(tested);
  testCreate(tested);
  testConnect(tested);
  if (product.types.length > 0) testTypes(tested);
  if (Object.keys(product.sizes).length > 0) testSizes(tested);
  if (product.policies) testPolicies(tested);
  testRoles(tested);
}

function testOrder(tested: UnderTest): void {
  const { product, sender, receiver, roles, small } = tested;

  for (const role of roles) {
    const peer = tested.other(role);

    tested.test(`a ${role.title} makes a file of its name`, async (place) => {
      tested.open(role, place).close(); // the library's own memory exists now
      await keepsNothing(() => {
        const before = held();
        using handle = tested.open(role, place);
        assertSizes(handle, small);
        assert(tested.exists(place), `${place.files()}`);
        assert(held().every((count, i) => count > before[i]!), `${held()}`);
        if (product.semaphore) return;
        const info = regions().find(({ path }) => path === tested.path(place));
        assertEquals([info?.inUse, info?.details?.persist], [true, false]);
        if (product.types[0]) assertEquals(info!.details!.type?.name, product.types[0].name);
      });
    });

    tested.test(`a ${role.title} that opens first meets the ${peer.title} that follows`, (place) => {
      using early = tested.open(role, place);
      using late = tested.open(peer, place);
      meet(early, late);
    });

    tested.test(`a ${role.title} that closes leaves the ${peer.title} in`, (place) => {
      using staying = tested.open(peer, place);
      using leaving = tested.open(role, place);
      for (let i = 0; i < 2; i++) leaving.close(); // the second call does nothing
      assert(tested.exists(place));
      using back = tested.open(role, place);
      leaving.close(); // must not close later handles
      meet(staying, back);
      staying.close();
      assert(tested.exists(place));
      back.close();
      assertEquals(tested.exists(place), product.semaphore === true); // the last removes the file
    });
  }

  tested.test("opening and closing leaves no file open and no mapping", async (place) => {
    for (const role of roles) tested.open(role, place).close();
    await keepsNothing(() => {
      for (let round = 0; round < 50; round++) {
        using _receiver = tested.open(receiver, place);
        using _sender = tested.open(sender, place);
      }
    });
  });
}

function testCreate(tested: UnderTest): void {
  for (const role of tested.roles.filter(({ create }) => create)) {
    const create = tested.ways(role).create!;
    const { bigger } = tested;
    const otherwise = { ...bigger, ...tested.product.types[1]?.options };

    tested.test(`a ${role.title} creates nothing while the name is in use or kept`, async (place) => {
      const refused = async (options: Options) => {
        const told = [tested.called(place), "open"];
        const { code } = await refusal(() => create(place.name, options), OsError, ...told);
        assertEquals(code, "EEXIST");
      };
      {
        using made = (await create(place.name))!;
        using peer = tested.open(tested.other(role), place);
        await keepsNothing(() => refused(otherwise)); // with any other options
        meet(made, peer);
      }
      {
        using next = (await create(place.name, otherwise))!;
        assertSizes(next, bigger);
      }
      (await create(place.name, { persist: true }))!.close();
      await refused({});
    });
  }
}

function testConnect(tested: UnderTest): void {
  for (const role of tested.roles.filter(({ connect }) => connect)) {
    const connect = (name: string, options: Options = {}) =>
      role.connect!(name, { ...tested.sizes, ...options });

    tested.test(`a ${role.title} that connects waits until another one opens`, async (place) => {
      const connecting = connect(place.name);
      const early = await Promise.race([connecting, Promise.resolve("nothing yet")]);
      assertEquals([early, place.files()], ["nothing yet", []]);
      using made = tested.open(tested.other(role), place);
      using connected = await connecting;
      assertSizes(connected, tested.small);
      meet(made, connected);
    });

    tested.test(`a ${role.title} that connects times out, and obeys its signal`, async (place) => {
      await keepsNothing(async () => {
        for (const timeout of [0, 1, 20]) {
          const start = performance.now();
          const told = [tested.called(place), `${timeout} ms`];
          const late = await refusal(() => connect(place.name, { timeout }), DOMException, ...told);
          assertEquals(late.name, "TimeoutError");
          assert(performance.now() - start >= timeout - 1);
        }
        for (const timeout of [-1, NaN]) {
          await refusal(() => connect(place.name, { timeout }), RangeError, timeout);
        }
        const controller = new AbortController();
        const { signal } = controller;
        const reason = new Error("no longer needed");
        const waiting = connect(place.name, { signal });
        controller.abort(reason);
        for (const promise of [waiting, connect(place.name, { signal })]) {
          assertEquals(await promise.catch((error) => error), reason);
        }
      });
      assertEquals(place.files(), []);
    });
  }

  for (const role of tested.roles.filter(({ joins }) => joins)) {
    tested.test(`a ${role.title} that joins without waiting makes nothing`, async (place) => {
      for (const joinAny of Object.values(role.joins!)) {
        const join = (name: string) => joinAny(name, tested.sizes);
        const found = await Promise.try(() => join(place.name)).catch((error) => error);
        if (found !== undefined) {
          const { code } = await refusal(
            () => Promise.reject(found),
            OsError,
            tested.called(place),
          );
          assertEquals(code, "ENOENT");
        }
        assertEquals(place.files(), []);
        using made = tested.open(tested.other(role), place);
        using joined = join(place.name)!;
        assertSizes(joined, tested.small);
        meet(made, joined);
      }
    });
  }
}

function testTypes(tested: UnderTest): void {
  const { types } = tested.product;
  for (const role of tested.roles) {
    tested.test(`a ${role.title} of another type is refused, and the error names both types`, async (place) => {
      for (const is of types) {
        using _made = tested.open(tested.other(role), place, is.options);
        for (const join of Object.values(tested.joins(role))) {
          await keepsNothing(async () => {
            for (const asked of types) {
              if (asked === is) continue;
              const told = [tested.called(place), `"${is.name}"`, `"${asked.name}"`];
              await refusal(() => join(place.name, asked.options), LayoutMismatchError, ...told);
            }
          });
          (await join(place.name, is.options))!.close();
        }
      }
    });
  }
}

function testSizes(tested: UnderTest): void {
  const { product, small } = tested;
  const sizes = Object.entries(product.sizes);

  for (const role of tested.roles) {
    if (product.defines) testDefinedSizes(tested, role);
    else {tested.test(`a ${role.title} joins any sizes, or exactly those it asks for`, async (place) => {
        using _made = tested.open(tested.other(role), place);
        for (const [option, { is, other, rounded = [], usual }] of sizes) {
          for (const asked of [is, ...rounded]) {
            using same = tested.open(role, place, { [option]: asked });
            assertSizes(same, small);
          }
          const wish = { [option]: other };
          const join = tested.joins(role).open!;
          await keepsNothing(() =>
            refusal(() => join(place.name, wish), LayoutMismatchError)
          );
          if (usual === undefined) continue; // all of them are required
          for (const few of [{}, { [option]: is }]) {
            using any = role.open(place.name, few);
            assertSizes(any, small);
          }
          await keepsNothing(() => {
            const told = [`${product.noun} "`, is, other];
            const attempt = () => Promise.try(() => role.open(place.name, wish));
            return refusal(attempt, LayoutMismatchError, ...told);
          });
        }
      });}

    tested.test(`a ${role.title} refuses impossible sizes, and makes nothing`, async (place) => {
      const wishes = sizes.flatMap(([option, { never }]) =>
        never.map((size): Options => ({ [option]: size }))
      );
      if (product.neverTogether) wishes.push(product.neverTogether);
      const { open, create = open } = tested.ways(role);
      await keepsNothing(async () => {
        for (const wish of wishes) {
          for (const make of [open!, create!]) {
            await refusal(() => make(place.name, wish), RangeError, ...Object.values(wish));
          }
        }
      });
      assertEquals(place.files(), []);
    });

    tested.test(`a ${role.title} that asks for no size gets the default`, (place) => {
      for (const [option, { usual }] of sizes) {
        if (usual === undefined) continue;
        const { [option]: _, ...others } = small;
        using handle = role.open(place.name, others);
        assertSizes(handle, { ...small, [option]: usual });
      }
    });
  }

  if (product.sizes.capacity === undefined) return;
  tested.test("a capacity is rounded up to a power of two of at least a page", (place) => {
    const page = pageSize();
    const cases = [[1, page], [page - 1, page], [page, page], [page + 1, 2 * page]];
    for (let bytes = 2 * page; bytes <= 2 ** 20; bytes *= 2) {
      cases.push([bytes - 1, bytes], [bytes, bytes], [bytes + 1, 2 * bytes]);
    }
    for (const [capacity, rounded] of cases) {
      using handle = tested.open(tested.sender, place, { capacity });
      assertEquals([capacity, handle.sizes.capacity], [capacity, rounded]);
    }
  });
}

/** All sizes are those of the definition: an omitted one is the default, in either order of opening. */
function testDefinedSizes(tested: UnderTest, role: Role): void {
  const { product, small } = tested;
  const refuse = (place: Name, options: Options, ...told: unknown[]) =>
    keepsNothing(async () => {
      for (const join of Object.values(tested.joins(role))) {
        const attempt = () => join(place.name, options);
        await refusal(attempt, LayoutMismatchError, `${product.noun} "`, ...told);
      }
    });

  tested.test(`a ${role.title} joins exactly its sizes, and the error names both sides'`, async (place) => {
    for (const [option, { is, other, rounded = [], usual }] of Object.entries(product.sizes)) {
      {
        using _made = tested.open(tested.other(role), place);
        for (const asked of [is, ...rounded]) {
          using same = tested.open(role, place, { [option]: asked });
          assertSizes(same, small);
        }
        await refuse(place, { [option]: other }, is, other);
        if (usual !== undefined && usual !== is) {
          await refuse(place, { [option]: undefined }, is, usual);
        }
      }
      if (usual === undefined || usual === is) continue;
      using made = tested.open(tested.other(role), place, { [option]: undefined });
      assertSizes(made, { ...small, [option]: usual });
      await refuse(place, {}, usual, is);
    }
  });
}

/** A program whose definition has another policy gets both values, in either order of opening. */
function testPolicies(tested: UnderTest): void {
  for (const role of tested.roles) {
    tested.test(`a ${role.title} of another policy is refused, and the error names both`, async (place) => {
      for (const [option, { usual, other, needs }] of Object.entries(tested.product.policies!)) {
        const values = [usual, other].map((value) => ({ ...needs, [option]: value }));
        const pairs = [values, [...values].reverse(), [{ ...needs }, values[1]!]];
        for (const [made, asked] of pairs) {
          using _made = tested.open(tested.other(role), place, made);
          for (const join of Object.values(tested.joins(role))) {
            const told = [tested.called(place), option, usual, other];
            await keepsNothing(() =>
              refusal(() => join(place.name, asked), LayoutMismatchError, ...told)
            );
            (await join(place.name, made))!.close();
          }
        }
      }
    });
  }
}

function testRoles(tested: UnderTest): void {
  for (const role of tested.roles.filter(({ most }) => most < Infinity)) {
    tested.test(`a ${role.title} too many is refused until another one closes`, async (place) => {
      using _peer = tested.open(tested.other(role), place);
      using stack = new DisposableStack();
      const all = Array.from({ length: role.most }, () => stack.use(tested.open(role, place)));
      await keepsNothing(async () => {
        for (const join of Object.values(tested.joins(role))) {
          await refusal(() => join(place.name), RoleTakenError, ` "${place.name}`, "close");
        }
      });
      for (const handle of all) {
        handle.close();
        stack.use(tested.open(role, place));
      }
    });
  }
}
