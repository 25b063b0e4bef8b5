/** An observer follows a name, changes nothing, and disturbs nobody. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ClosedError, LayoutMismatchError, OsError } from "../../src/errors.ts";
import { Word32, Word64 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { LockFile } from "../../src/region/liveness.ts";
import { Observed, OBSERVER_SLICE_NS } from "../../src/region/observed.ts";
import { MEMBER } from "../../src/region/opened.ts";
import { Region } from "../../src/region/region.ts";
import { CONTROL, dataOf, forge, idOf, OTHER_TYPE, patterned, Place, TYPE } from "./scene.ts";
import { joinRegion, openRegion } from "./opening.ts";

const SIZE = 600;

function make(place: Place, regionType = TYPE): Region {
  return openRegion(regionType, place.path, { dataBytes: SIZE });
}

function observe(place: Place): Region {
  return joinRegion(TYPE, place.path, { readOnly: true })!;
}

function follow({ path }: Place): Observed<{ readonly region: Region }> {
  return new Observed(() => {
    const region = joinRegion(TYPE, path, { readOnly: true });
    return region && { region };
  });
}

const idIn = (observed: Observed<{ readonly region: Region }>) =>
  observed.current && idOf(observed.current.region);

Deno.test("an observer does not keep a region alive, and reads on when it is gone", () => {
  using place = new Place();
  const member = make(place);
  dataOf(member).set(patterned(SIZE));
  using observer = observe(place);
  assertEquals([observer.hasName(), observer.countMembers()], [true, 1]);
  member.close();
  assert(!place.exists);
  assertEquals([observer.hasName(), observer.countMembers()], [false, 0]);
  assertEquals(dataOf(observer), patterned(SIZE));
});

Deno.test("an observer lets the next opener remove the files of the dead", () => {
  using place = new Place();
  const left = forge(place.path);
  const victim = new LockFile(place.path, { write: true, what: "the victim" });
  victim.tryLock(MEMBER, "read");
  using observer = observe(place);
  victim.close(); // killed
  using member = make(place);
  assertEquals([idOf(observer), observer.hasName(), member.created], [left, false, true]);
});

Deno.test("words of an observer throw instead of storing", () => {
  using place = new Place();
  using member = make(place);
  using observer = observe(place);
  const place32 = CONTROL.fields.count;
  const word = new Word32(observer.mapping, place32, observer.controlOffset);
  const word64 = new Word64(observer.mapping, { path: "wide", offset: 0 }, observer.dataOffset);
  const own = new Word32(member.mapping, place32, member.controlOffset);
  own.store(7);
  const stores: (() => unknown)[] = [
    () => observer.keep(),
    () => observer.tryHold(0),
    () => word.storeThenLoad(1, word),
    () => word.storeThenGlance(1, word),
    () => word64.storeThenGlance(1, word),
    () => word64.storeFirst(1),
  ];
  for (const name of ["store", "add", "sub", "or", "and", "exchange"] as const) {
    stores.push(() => word[name](1), () => word64[name](1));
  }
  stores.push(() => word.compareExchange(7, 1), () => word64.compareExchange(0, 1));
  for (const store of stores) assertThrows(store);
  assertThrows(() => word64.store(1), TypeError, 'store to word "wide": its memory is mapped for');
  assertEquals([word.load(), own.load(), word64.load(), word64.loadLast()], [7, 7, 0, 0]);
  observer.close();
  assertThrows(() => word64.store(1), ClosedError);
});

Deno.test("Observed finds a region that is made later, and continues with the one that replaces it", () => {
  using place = new Place();
  using observed = follow(place);
  assertEquals([observed.current, observed.look(), observed.regions], [undefined, undefined, 0]);
  using first = make(place);
  assertEquals(observed.look(), observed.current);
  assertEquals([idIn(observed), observed.regions], [idOf(first), 1]);
  assertEquals(observed.look(), undefined);

  Region.unlink(TYPE, place.path); // no successor yet: its members continue, and so does this
  assertEquals([observed.look(), idIn(observed)], [undefined, idOf(first)]);
  const old = observed.current!.region;
  using second = make(place);
  assertEquals(observed.look(), observed.current);
  assertEquals([idIn(observed), observed.regions, old.closed], [idOf(second), 2, true]);
});

Deno.test("Observed looks at the name once a slice", () => {
  let attempts = 0;
  const start = now();
  using observed = new Observed<{ readonly region: Region }>(() => (attempts++, undefined));
  for (let i = 0; i < 10_000 || attempts < 3; i++) observed.lookEachSlice();
  const slices = (now() - start) / OBSERVER_SLICE_NS;
  assert(attempts <= slices + 1, `${attempts} looks in ${slices} slices`);
});

Deno.test("Observed reports a region that it cannot observe, and continues when it is replaced", () => {
  using place = new Place();
  using first = make(place);
  using observed = follow(place);
  Region.unlink(TYPE, place.path);
  const other = make(place, OTHER_TYPE);
  for (let i = 0; i < 2; i++) assertThrows(() => observed.look(), LayoutMismatchError);
  assertEquals(idIn(observed), idOf(first));
  other.close();
  using third = make(place);
  observed.look();
  assertEquals(idIn(observed), idOf(third));
});

Deno.test("Observed.close() detaches and looks no more", () => {
  using place = new Place();
  const observed = follow(place);
  observed.close();
  observed.close();
  using _member = make(place);
  assertEquals([observed.closed, observed.look(), observed.current], [true, undefined, undefined]);
});

Deno.test("the option group refuses a name that is not in /etc/group", () => {
  using place = new Place();
  const open = (group: string | number) => openRegion(TYPE, place.path, { dataBytes: SIZE, group });
  assertThrows(
    () => open("no such group"),
    RangeError,
    'no group "no such group"; pass the number',
  );
  assert(!place.exists);
  using _region = open(Deno.gid()!);
  const { gid, mode } = Deno.statSync(place.path);
  assertEquals([gid, mode! & 0o777], [Deno.gid(), 0o640]);
  using elsewhere = new Place();
  if (Deno.uid() === 0) return;
  const error = assertThrows(
    () => openRegion(TYPE, elsewhere.path, { dataBytes: SIZE, group: 0 }),
    OsError,
    "pass a group that you belong to",
  );
  assertEquals([error.code, error.syscall], ["EPERM", "fchown"]);
});
