/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import { pageSize } from "../../src/os/page.ts";
import type { WrongAnswer } from "../wrong_answer.ts";
import type { MakeMemory } from "./check.ts";
import { allocate, close, map, MapFlag, memfd, Protection, truncate } from "./files.ts";

/** What an answer leaves out or does otherwise. */
interface Mistake {
  readonly size?: number;
  readonly flags?: number;
  readonly keep?: boolean;
  readonly reserves?: boolean;
}

const page = pageSize();
const protection = Protection.read | Protection.write;

function memory(length: number, mistake: Mistake = {}): number {
  const { size = length, flags = MapFlag.shared, keep = false, reserves = true } = mistake;
  const fd = memfd("wrong");
  if (reserves) allocate(fd, 0, size);
  else truncate(fd, size);
  const address = map({ length, protection, flags, fd });
  if (!keep) close(fd);
  return address;
}

/** Every page of the memory is the same page of another file. */
function folded(length: number): number {
  const base = memory(length);
  if (base < 0) return base;
  const fd = memfd("wrong");
  allocate(fd, 0, page);
  const flags = MapFlag.shared | MapFlag.fixed;
  for (let at = base; at < base + length; at += page) {
    map({ address: at, length: page, protection, flags, fd });
  }
  close(fd);
  return base;
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<MakeMemory>[] {
  const address = "the address is that of shared memory";
  const refused = "an error of the kernel is returned";
  const each = "the error of whichever call fails";
  return [
    { mistake: "returns an error although nothing failed", answer: () => -22, fails: address },
    { mistake: "returns no address", answer: () => 0, fails: address },
    {
      mistake: "maps the file privately",
      answer: (n) => memory(n, { flags: MapFlag.private }),
      fails: address,
    },
    {
      mistake: "gives the file no length",
      answer: (n) => memory(n, { size: 0, reserves: false }),
      fails: "every page of it can be touched",
    },
    {
      mistake: "gives the file half of its length",
      answer: (n) => memory(n, { size: n / 2 }),
      fails: "every page of it can be touched",
    },
    {
      mistake: "gives the file a length and no memory",
      answer: (n) => memory(n, { reserves: false }),
      fails: "every page has its memory",
    },
    {
      mistake: "maps one page everywhere",
      answer: folded,
      fails: "bytes written to it can be read back",
    },
    {
      mistake: "keeps the fd",
      answer: (n) => memory(n, { keep: true }),
      fails: "every page has its memory",
    },
    {
      mistake: "keeps the fd if the kernel refuses",
      answer: (n) => memory(n, { keep: n === 0 }),
      fails: refused,
    },
    {
      mistake: "returns the error without its sign",
      answer: (n) => Math.abs(memory(n)),
      fails: refused,
    },
    { mistake: "goes on after an error", answer: (n) => memory(n), fails: each },
    {
      mistake: "maps the file although it has no memory",
      answer: (n) => {
        const fd = memfd("wrong");
        if (fd < 0) return fd;
        try {
          allocate(fd, 0, n);
          return map({ length: n, protection, flags: MapFlag.shared, fd });
        } finally {
          close(fd);
        }
      },
      fails: each,
    },
  ];
}
