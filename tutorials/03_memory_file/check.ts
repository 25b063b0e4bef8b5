/**
 * The checks of the exercise. They ask the kernel before they touch a page, so a wrong answer does
 * not end the program.
 *
 * @module
 */

import { errnoName } from "../../src/errors.ts";
import { bufferAt, list, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import { mappedRanges } from "../../src/os/proc_maps.ts";
import { type Check, expect, runChecks } from "../check.ts";
import { canBeRead, mapsLine } from "../kernel_view.ts";
import { type Call, REFUSALS, type Watch, watching } from "./files.ts";

/** An answer. */
export type MakeMemory = (length: number) => number;

const page = pageSize();
const length = 4 * page;

/** Checks an answer and prints the results. */
export function checkMakeMemory(makeMemory: MakeMemory): void {
  runChecks(import.meta.url, checksOf(makeMemory));
}

/** The checks that an answer must pass. */
export function checksOf(makeMemory: MakeMemory): Check[] {
  return [
    {
      what: "the address is that of shared memory that may be read and written",
      check: () => useMemory(makeMemory, expectShared),
      hint: "map() gives the address; the flag is MapFlag.shared.",
    },
    {
      what: "every page of it can be touched",
      check: () => useMemory(makeMemory, expectTouchable),
      hint: "how long is a new memory file? Which calls change that?",
    },
    {
      what: "every page has its memory before it is touched",
      check: () => expectReserved(makeMemory),
      hint: "a length is not yet memory. Which call fills the holes?",
    },
    {
      what: "bytes written to it can be read back",
      check: () => useMemory(makeMemory, expectMemory),
      hint: "map the file from its beginning, all of it.",
    },
    {
      what: "no fd stays open",
      check: () => expectNoFd(makeMemory),
      hint: "the mapping holds the file. Does anything need the fd after that?",
    },
    {
      what: "an error of the kernel is returned, and even then no fd stays open",
      check: () => expectRefusal(makeMemory),
      hint: "look at what each call returns, and close the fd on every way out (try ... finally).",
    },
    {
      what: "the error of whichever call fails is returned, and nothing is left",
      check: () => expectEachRefusal(makeMemory),
      hint: "a negative result is no fd and no address: return it before you go on.",
    },
  ];
}

function useMemory(makeMemory: MakeMemory, use: (address: number) => void): void {
  const address = makeMemory(length);
  expect(address >= 0, `The kernel refused: ${address} is ${errnoName(-address)}.`);
  try {
    use(address);
  } finally {
    unmap(address, length);
  }
}

function expectShared(address: number): void {
  const line = mapsLine(address);
  expect(line !== undefined, `Nothing is mapped at ${address}.`);
  expect(/ rw-s /.test(line), `The kernel lists it as\n${line}\nand not as rw-s.`);
}

function expectTouchable(address: number): void {
  const closed = Array.from({ length: 4 }, (_, i) => i)
    .filter((i) => !canBeRead(address + i * page));
  expect(
    closed.length === 0,
    `Of 4 pages, these must not be touched: ${closed.join(", ")}. They are mapped, but the file\n` +
      "ends before them. Touching one would end the program with SIGBUS.",
  );
}

function expectMemory(address: number): void {
  expectTouchable(address);
  const bytes = new Uint8Array(bufferAt(address, length));
  for (let i = 0; i < length; i++) bytes[i] = byteFor(i);
  const wrong = bytes.findIndex((byte, i) => byte !== byteFor(i));
  bytes.buffer.transfer(0);
  expect(wrong === -1, `Byte ${wrong} does not keep what was written to it.`);
}

/** Depends on the place, and no two pages are alike. */
function byteFor(i: number): number {
  return (i * 7 + Math.floor(i / 256) + Math.floor(i / page)) % 256;
}

/** Everything this process has open. */
function openFds(): string[] {
  const names = list("/proc/self/fd");
  return typeof names === "number" ? [] : names;
}

function expectNoFd(makeMemory: MakeMemory): void {
  const before = openFds();
  useMemory(makeMemory, expectTouchable);
  const left = openFds().filter((fd) => !before.includes(fd));
  expect(left.length === 0, `After the call, fd ${left.join(", ")} is still open.`);
}

/** Asks for no bytes, because every kernel refuses that, at once and at no cost. */
function expectRefusal(makeMemory: MakeMemory): void {
  const before = openFds();
  const result = makeMemory(0);
  const left = openFds().filter((fd) => !before.includes(fd));
  expect(
    result < 0,
    `The check asked for 0 bytes, which cannot be mapped, and you returned ${result}.`,
  );
  expect(
    left.length === 0,
    `${errnoName(-result)} is the right answer to 0 bytes, but fd ${
      left.join(", ")
    } is still open.`,
  );
}

/** The file has its memory if all of it is there when its fd is closed. */
function expectReserved(makeMemory: MakeMemory): void {
  const watch: Watch = { calls: [], allocated: [] };
  useMemory((bytes) => watching(watch, () => makeMemory(bytes)), () => {});
  const [allocated] = watch.allocated;
  expect(allocated !== undefined, "You never close the fd, so the check cannot look at the file.");
  expect(
    allocated >= length,
    `The file has ${allocated} bytes of memory, and ${length} were asked for. The rest are holes.\n` +
      "If memory runs out when one is touched, the kernel can only end the program.",
  );
}

/** Refuses each call that the answer makes, one at a time. */
function expectEachRefusal(makeMemory: MakeMemory): void {
  const usual: Watch = { calls: [], allocated: [] };
  unmap(watching(usual, () => makeMemory(length)), length);
  for (const refuse of new Set(usual.calls)) expectRefused(makeMemory, refuse);
}

function expectRefused(makeMemory: MakeMemory, refuse: Call): void {
  const [fds, before] = [openFds(), mappedBytes()];
  const result = watching({ refuse, calls: [], allocated: [] }, () => makeMemory(length));
  const [left, bytes] = [openFds().filter((fd) => !fds.includes(fd)), mappedBytes() - before];
  if (result >= 0) unmap(result, length);
  const [error, name] = [REFUSALS[refuse], errnoName(-REFUSALS[refuse])];
  const said = result < 0 ? `${result}, which is ${errnoName(-result)}` : `${result}`;
  expect(
    result === error,
    `The check made ${refuse}() fail with ${name}. Expected: ${error}; you returned ${said}.`,
  );
  expect(left.length === 0, `After ${refuse}() failed, fd ${left.join(", ")} is still open.`);
  expect(bytes < length, `After ${refuse}() failed, ${bytes} bytes are still mapped.`);
}

/** The bytes of all mappings of memory files. */
function mappedBytes(): number {
  return mappedRanges().filter(({ path }) => path.startsWith("/memfd:"))
    .reduce((total, { start, end }) => total + end - start, 0);
}
