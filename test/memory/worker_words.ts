/**
 * A Worker that changes words of a shared file many times while others do the same.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32, Word64 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { GATE, WORD32, WORD64 } from "./words.ts";

/** The task. */
export interface Task {
  /** The file. */
  fd: number;
  /** Which operation of which word. */
  operation: "add32" | "add64" | "swap32" | "swap64" | "bits32" | "bits64" | "open";
  /** How many times. */
  times: number;
  /** Which bit to set and clear. */
  bit?: number;
}

const port = self as unknown as { onmessage: unknown; postMessage(message: unknown): void };

/** Adds by compare and exchange. */
function swap(word: Word32 | Word64): void {
  for (let seen = word.load();;) {
    const before = word.compareExchange(seen, seen + 3);
    if (before === seen) return;
    seen = before;
  }
}

function perform({ fd, operation, times, bit: index = 0 }: Task): number {
  using mapping = Mapping.ofFile(fd, { length: pageSize(), what: "a test" });
  const [gate, word32, word64] = [
    new Word32(mapping, GATE),
    new Word32(mapping, WORD32),
    new Word64(mapping, WORD64),
  ];
  if (operation === "open") return gate.exchange(1);
  const word = operation.endsWith("32") ? word32 : word64;
  const bit = 2 ** index;
  const others = word === word32 ? 0xffff_ffff - bit : 2 ** 53 - 1 - bit;
  while (!gate.spinWhile(0, 1e9));
  let lost = 0;
  if (operation.startsWith("add")) { for (let i = 0; i < times; i++) word.add(3); }
  if (operation.startsWith("swap")) { for (let i = 0; i < times; i++) swap(word); }
  if (operation.startsWith("bits")) {
    for (let i = 0; i < times; i++) {
      if (word.or(bit) & bit) lost++;
      if (!(word.and(others) & bit)) lost++;
    }
  }
  return lost;
}

port.onmessage = ({ data }: MessageEvent<Task>) => port.postMessage(perform(data));
port.postMessage("ready");
