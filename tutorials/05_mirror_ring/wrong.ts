/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import { map, MapFlag, Protection, unmap } from "../../src/os/files.ts";
import { pageSize } from "../../src/os/page.ts";
import type { MapRing } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<MapRing>[] {
  const page = pageSize();
  const readWrite = Protection.read | Protection.write;
  const reserve = (length: number, protection: number = Protection.none) =>
    map({ length, protection, flags: MapFlag.private | MapFlag.anonymous | MapFlag.noReserve });
  const put = (address: number, fd: number, length: number, offset: number) => {
    const flags = MapFlag.shared | MapFlag.fixed;
    return map({ address, length, protection: readWrite, flags, fd, offset });
  };
  type Request = [fd: number, header: number, capacity: number];
  const unchecked = (...[fd, header, capacity]: Request) => {
    const base = reserve(header + 2 * capacity);
    put(base, fd, header + capacity, 0);
    put(base + header + capacity, fd, capacity, header);
    return base;
  };
  return [
    {
      mistake: "returns an error although nothing failed",
      answer: () => -22,
      fails: "the header comes first",
    },
    {
      mistake: "only reserves addresses",
      answer: (_fd, header, capacity) => reserve(header + 2 * capacity),
      fails: "the header comes first",
    },
    {
      mistake: "reserves memory that is no ring",
      answer: (_fd, header, capacity) => reserve(header + 2 * capacity, readWrite),
      fails: "the header comes first",
    },
    {
      mistake: "lets the second window begin at the header",
      answer: (fd, header, capacity) => {
        const base = unchecked(fd, header, capacity);
        return put(base + header + capacity, fd, capacity, 0) - header - capacity;
      },
      fails: "a message across the seam",
    },
    {
      mistake: "leaves out the first page of the second window",
      answer: (fd, header, capacity) => {
        const base = unchecked(fd, header, capacity);
        put(base + header + capacity + page, fd, page, header);
        return base;
      },
      fails: "the whole ring follows again",
    },
    {
      mistake: "checks no result",
      answer: unchecked,
      fails: "an error of the kernel is returned",
    },
    {
      mistake: "returns the error and leaves the reservation",
      answer: (...request) => request[0] < 0 ? (unchecked(...request), -22) : unchecked(...request),
      fails: "an error",
    },
    {
      mistake: "reserves too little, so that the second window covers other memory",
      answer: (fd, header, capacity) => {
        const base = reserve(header + capacity);
        if (base < 0) return base;
        if (put(base, fd, header + capacity, 0) < 0) {
          unmap(base, header + capacity);
          return -9;
        }
        put(base + header + capacity, fd, capacity, header);
        return base;
      },
      fails: "it covers only addresses that it has reserved",
      inChild: true,
    },
    {
      mistake: "goes on with the error of the first call as an address",
      answer: (fd, header, capacity) => {
        const length = header + 2 * capacity;
        const base = reserve(length);
        let mapped = put(base, fd, header + capacity, 0);
        if (mapped >= 0) mapped = put(base + header + capacity, fd, capacity, header);
        if (mapped >= 0) return base;
        unmap(base, length);
        return mapped;
      },
      fails: "an error of the first call is returned",
    },
  ];
}
