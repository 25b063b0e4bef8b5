/**
 * Kills processes that use your ring, each before a certain operation, and checks what is left.
 *
 * @module
 */

import { expect } from "../check.ts";
import type { RingWork } from "./memory.ts";
import { closeRing, makeRing, messageOf, numberOf, RealMemory } from "./real.ts";

const PARTY = new URL("party.ts", import.meta.url);

/** Before which of its operations a process is killed: within its second message, and later. */
const KILLS = [8, 11, 15, 22] as const;
const CONSUMER_KILLS = [7, 8] as const;
/** A process that is not killed ends after so many messages. */
export const MOST = 20;

/** What a process does, on which memory, and where it dies; a flood is one message again and again. */
export interface Part {
  readonly file: string;
  readonly pid: number;
  readonly fd: number;
  readonly role: "produce" | "flood" | "consume";
  /** The number of its first message. */
  readonly from: number;
  /** Before which of its operations it is killed; 0: never. */
  readonly killAt: number;
  readonly messages: number;
  /** The bytes of a message. */
  readonly size?: number;
}

/** Starts a producer that sends until it is killed, on a ring of this process. */
export function killableProducer(
  part: Pick<Part, "file" | "fd" | "from" | "role" | "size">,
): Deno.ChildProcess {
  const endless = { pid: Deno.pid, killAt: 0, messages: 2 ** 52 } as const;
  return processOf({ ...part, ...endless }).spawn();
}

/** Prepares a process of its own for a part. */
export function processOf(part: Part): Deno.Command {
  const flags = ["--quiet", "--no-check", "--no-prompt", "--allow-ffi", "--allow-read"];
  return new Deno.Command("deno", {
    args: ["run", ...flags, "--allow-run", PARTY.pathname, JSON.stringify(part)],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs a part to its end; returns the numbers that it has printed. */
function play(part: Part): number[] {
  const { signal, success, stdout, stderr } = processOf(part).outputSync();
  const text = new TextDecoder().decode(stderr).trim();
  expect(success || signal === "SIGKILL", `A process that uses your ring fails:\n${text}`);
  return new TextDecoder().decode(stdout).trim().split("\n").filter(Boolean).map(Number);
}

/** Uses a ring of this process, on memory that others can map. */
function useRing(
  { mapRing, Ring }: RingWork,
  use: (ring: InstanceType<NonNullable<RingWork["Ring"]>>, fd: number) => void,
): void {
  const fd = makeRing();
  try {
    using memory = new RealMemory(mapRing!, fd);
    use(new Ring!(memory), fd);
  } finally {
    closeRing(fd);
  }
}

/** Each producer continues where the one before was killed. */
export function killProducers(work: RingWork, file: string): void {
  useRing(work, (ring, fd) => {
    let next = 0;
    for (const killAt of KILLS) {
      const pid = Deno.pid;
      play({ file, pid, fd, role: "produce", from: next, killAt, messages: MOST });
      for (;;) {
        const message = ring.tryReceive();
        if (message === undefined) break;
        const number = numberOf(message);
        expect(
          number === next,
          `A producer was killed before its operation ${killAt}. Message ${next} comes next, and ` +
            `tryReceive() returns ${number === undefined ? "bytes of no message" : number}.`,
        );
        next++;
      }
    }
    expect(next > 0, "Several producers were killed, and no message arrived at all.");
  });
}

/** Each consumer continues where the one before was killed. */
export function killConsumers(work: RingWork, file: string): void {
  useRing(work, (ring, fd) => {
    for (let number = 0; number < MOST; number++) ring.trySend(messageOf(number));
    let next = 0;
    for (const killAt of CONSUMER_KILLS) {
      const received = play({
        file,
        pid: Deno.pid,
        fd,
        role: "consume",
        from: 0,
        killAt,
        messages: MOST,
      });
      next = expectNumbers(received, next, killAt);
    }
    const rest: number[] = [];
    for (let i = 0; i < MOST; i++) {
      const message = ring.tryReceive();
      if (message !== undefined) rest.push(numberOf(message) ?? -1);
    }
    next = expectNumbers(rest, next, 0);
    expect(next === MOST, `${MOST} messages were sent, and the last one received is ${next - 1}.`);
  });
}

/** Fails unless numbers continue; the first may be one that came before. Returns the next one. */
function expectNumbers(numbers: readonly number[], next: number, killAt: number): number {
  for (const [i, number] of numbers.entries()) {
    const isAgain = i === 0 && number === next - 1;
    expect(
      isAgain || number === next,
      `Consumers were killed${killAt === 0 ? "" : `, this one before its operation ${killAt}`}. ` +
        `Message ${next} comes next, and ${number === -1 ? "bytes of no message" : number} came.`,
    );
    if (!isAgain) next++;
  }
  return next;
}
