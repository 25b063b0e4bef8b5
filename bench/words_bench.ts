/**
 * Every operation on a word of shared memory, a bell that nobody waits for, and the copies. About
 * 4 ns of each figure are the measurement's own: see "no call" in `native_bench.ts`.
 *
 * @module
 */

import { Mapping } from "../src/memory/mapping.ts";
import { copyIn, copyOut, Word32, Word64 } from "../src/memory/word.ts";
import { pageSize } from "../src/os/page.ts";
import { Doorbell } from "../src/wait/doorbell.ts";

const memory = Mapping.anonymous(pageSize(), "a measurement");
const plain = new Uint32Array(memory.bytes.buffer, 0, 1);
let sink = 0;

Deno.bench("Uint32Array read, not atomic", { group: "Word32" }, () => {
  sink += plain[0]!;
});
const word32 = new Word32(memory, { path: "bench.word32", offset: 0 });
benchWord("Word32", word32);
Deno.bench("Word32 spinWhile, changed already", { group: "Word32" }, () => {
  word32.spinWhile(0xdead, 1000);
});
benchWord("Word64", new Word64(memory, { path: "bench.word64", offset: 64 }));

function benchWord(group: string, word: Word32 | Word64): void {
  Deno.bench(`${group} load`, { group, baseline: true }, () => {
    word.load();
  });
  Deno.bench(`${group} store`, { group }, () => {
    word.store(1);
  });
  Deno.bench(`${group} add`, { group }, () => {
    word.add(1);
  });
  Deno.bench(`${group} sub`, { group }, () => {
    word.sub(1);
  });
  Deno.bench(`${group} or`, { group }, () => {
    word.or(1);
  });
  Deno.bench(`${group} and`, { group }, () => {
    word.and(1);
  });
  Deno.bench(`${group} exchange`, { group }, () => {
    word.exchange(1);
  });
  Deno.bench(`${group} compareExchange`, { group }, () => {
    word.compareExchange(1, 1);
  });
}

const bell = new Doorbell(memory, { path: "bench.bell", offset: 128 });

Deno.bench("Doorbell ring, nobody waits", { group: "Doorbell" }, () => {
  bell.ring();
});
Deno.bench("Doorbell raise and ring, nobody asleep", { group: "Doorbell" }, () => {
  bell.raise();
  bell.ring();
});

for (const size of [8, 64, 1024]) {
  const group = `copy ${size} B`;
  const bytes = Uint8Array.from({ length: size }, (_, i) => i);
  Deno.bench(`copyIn ${size} B`, { group }, () => {
    copyIn(memory, 1024, bytes);
  });
  Deno.bench(`copyOut ${size} B`, { group }, () => {
    copyOut(memory, 1024, bytes);
  });
}
