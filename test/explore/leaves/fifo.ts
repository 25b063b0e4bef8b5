/** Replaces src/os/fifo.ts: a FIFO is a word that counts its bytes. @module */

import { currentActor, type Inode, PAGE_BYTES, process, shared } from "../engine/mod.ts";
import type { Inbox } from "../../../src/os/fifo.ts?real";

export type { Inbox };

const ENOENT = 2;
const EAGAIN = 11;

function pathOf(id: number): string {
  return `FIFO ${id}`;
}

export function hallPathOf(id: number): string {
  return `/dev/shm/hall ${id}`;
}

/** Makes the inbox of the actor at the first call. */
export function inbox(): Inbox {
  const { locals } = currentActor();
  let own = locals.get(inbox) as Inbox | undefined;
  if (own === undefined) locals.set(inbox, own = make(fifo()));
  return own;
}

/** Makes the FIFO of the actor at the first call. */
export function ownId(): number {
  return fifo().id;
}

interface Fifo {
  readonly id: number;
  readonly inode: Inode;
}

function fifo(): Fifo {
  const { locals, index } = currentActor();
  let own = locals.get(fifo) as Fifo | undefined;
  if (own !== undefined) return own;
  const id = 2 * (index + 1);
  const inode = process().makeInode(pathOf(id), PAGE_BYTES);
  locals.set(fifo, own = { id, inode });
  shared(() => `make ${pathOf(id)}`, (world) => {
    world.setName(pathOf(id), inode);
    world.share(inode);
    return id;
  });
  return own;
}

function make({ id, inode }: Fifo): Inbox {
  let heard = 0;
  return {
    id,
    async wait(deadline: number): Promise<void> {
      const expected = heard;
      await currentActor().promise<number>({
        label: () => `sleep until a byte is in ${pathOf(id)}`,
        perform: (world, thread) => {
          if (inode.words[0] !== expected) return -EAGAIN;
          return world.fallAsleep(thread, [{ inode, index: 0 }], deadline);
        },
        wakeResult: () => 0,
      });
      heard = currentActor().local(() => inode.words[0]!);
    },
    stir: () => void post(id),
  };
}

export function post(id: number): number {
  return shared(() => `a byte to ${pathOf(id)}`, (world) => {
    const inode = world.names.get(pathOf(id));
    if (inode === undefined) return -ENOENT;
    world.setWord(inode, 0, inode.words[0]! + 1);
    world.wake(inode, 0, Infinity);
    return 0;
  });
}

/** The killed leave their FIFOs behind. */
export function removeAbandonedFifos(): void {}
