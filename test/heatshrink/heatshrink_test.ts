import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Decoder } from "../../examples/heatshrink/decoder.ts";
import { Encoder } from "../../examples/heatshrink/encoder.ts";
import {
  compress,
  compression,
  decompress,
  decompression,
} from "../../examples/heatshrink/heatshrink.ts";
import type { RingKind } from "../../examples/heatshrink/history.ts";
import { checkLeaks } from "../../src/testing/mod.ts";
import { bytesFrom } from "../memory/bytes.ts";
import { bitsOf, choose, type Element, expand, packed } from "./model.ts";

const RINGS: readonly RingKind[] = ["mirror", "masked"];

/** All settings of the format. */
const formats = fc.integer({ min: 4, max: 15 }).chain((window) =>
  fc.integer({ min: 3, max: Math.min(14, window - 1) }).map((lookahead) => ({ window, lookahead }))
);

/** Bytes with repeats of many lengths and distances. */
const data = fc.array(
  fc.tuple(fc.nat(60_000), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 })),
  { maxLength: 30 },
).map((parts) =>
  Uint8Array.from(parts.flatMap(([from, length, times]) => {
    const once = [...bytesFrom(from, length)];
    return Array.from({ length: times }, () => once).flat();
  }))
);

/** Chunk sizes, which are repeated. */
const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });

/** Passes bytes through an encoder or a decoder in chunks. */
function inChunks(
  bytes: Uint8Array,
  sizes: readonly number[],
  make: (emit: (block: Uint8Array) => void) => Encoder | Decoder,
): Uint8Array {
  const result: number[] = [];
  using coder = make((block) => result.push(...block));
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    coder.write(bytes.subarray(at, at + size));
    at += size;
  }
  coder.end();
  return Uint8Array.from(result);
}

Deno.test("an encoder chooses the longest repeat in the window, and the nearest of those", () => {
  fc.assert(
    fc.property(formats, data, sizes, fc.constantFrom(...RINGS), (format, data, sizes, ring) => {
      const bytes = data.subarray(0, 1500);
      const { window, lookahead } = format;
      const wanted = packed(bitsOf(choose(bytes, window, lookahead), window, lookahead));
      assertEquals(inChunks(bytes, sizes, (emit) => new Encoder(format, emit, ring)), wanted);
    }),
    { numRuns: 25 },
  );
});

Deno.test("what was compressed comes back, whatever the settings, the chunks and the ring", () => {
  fc.assert(
    fc.property(formats, data, sizes, sizes, fc.constantFrom(...RINGS), (f, data, a, b, ring) => {
      const small = inChunks(data, a, (emit) => new Encoder(f, emit, ring));
      assertEquals(inChunks(small, b, (emit) => new Decoder(f, emit, ring)), data);
    }),
    { numRuns: 60 },
  );
});

Deno.test("a decoder takes every valid stream, also repeats that no encoder would choose", () => {
  const element = ({ window, lookahead }: { window: number; lookahead: number }) =>
    fc.oneof(
      fc.nat(255).map((byte): Element => ({ byte })),
      fc.record({
        distance: fc.integer({ min: 1, max: 2 ** window }),
        length: fc.integer({ min: 1, max: 2 ** lookahead }),
      }) as fc.Arbitrary<Element>,
    );
  const streams = formats.chain((format) =>
    fc.tuple(fc.constant(format), fc.array(element(format), { maxLength: 20 }))
  );
  fc.assert(
    fc.property(streams, sizes, fc.constantFrom(...RINGS), ([format, elements], sizes, ring) => {
      const stream = packed(bitsOf(elements, format.window, format.lookahead));
      const result = inChunks(stream, sizes, (emit) => new Decoder(format, emit, ring));
      assertEquals(result, expand(elements));
    }),
    { numRuns: 60 },
  );
});

Deno.test("both rings do the same through megabytes, over all their ends", () => {
  const bytes = new Uint8Array(300_000);
  for (let at = 0; at < bytes.length; at += 700) {
    bytes.set(bytesFrom(at % 7919, Math.min(700, bytes.length - at)), at);
  }
  for (
    const format of [{ window: 4, lookahead: 3 }, { window: 12, lookahead: 9 }, {
      window: 15,
      lookahead: 14,
    }]
  ) {
    const [mirror, masked] = RINGS.map((ring) => compress(bytes, format, ring));
    assertEquals(mirror, masked);
    for (const ring of RINGS) assertEquals(decompress(mirror!, format, ring), bytes);
  }
});

Deno.test("a masked ring crosses its end, and a mirror ring never does", () => {
  const bytes = bytesFrom(0, 50_000);
  for (const ring of RINGS) {
    using encoder = new Encoder({}, () => {}, ring);
    for (let at = 0; at < bytes.length; at += 1000) encoder.write(bytes.subarray(at, at + 1000));
    const { copies, branches, seams } = encoder.counts;
    const [capacity, written] = [8192, 50_000 + 2048];
    const crossings = ring === "mirror" ? 0 : Math.floor(written / capacity);
    assertEquals([seams, copies], [crossings, 51 + crossings]);
    assertEquals(branches, ring === "mirror" ? 0 : 51);
  }
});

Deno.test("a decoder refuses a stream that stops within an element", () => {
  const format = { window: 8, lookahead: 4 };
  const elements = [{ byte: 0x41 }, { byte: 0 }, { distance: 2, length: 16 }, { byte: 7 }];
  const bits = bitsOf(elements, 8, 4);
  for (let length = 1; length < bits.length; length++) {
    // Cut after each bit, and filled with zeros as an encoder would fill it.
    const cut = bits.slice(0, length);
    const ends = elements.map((_, i) => bitsOf(elements.slice(0, i + 1), 8, 4).length);
    const whole = ends.filter((end) => end <= length).at(-1) ?? 0;
    const rest = packed(cut).length * 8 - whole;
    const isFilling = rest < 8 && !cut.slice(whole).includes("1");
    if (isFilling) {
      assertEquals(
        decompress(packed(cut), format),
        expand(elements.slice(0, ends.indexOf(whole) + 1)),
      );
    } else if (!ends.includes(length) && packed(cut).length * 8 === length) {
      const error = assertThrows(() => decompress(packed(cut), format), TypeError);
      assertEquals(
        /: it stops within a (literal|repeat); it was cut off/.test(error.message),
        true,
      );
    }
  }
});

Deno.test("a decoder refuses a filling that is not zero, or has a whole byte", () => {
  const bits = bitsOf([{ byte: 1 }, { byte: 2 }], 8, 4); // 18 bits
  assertEquals(decompress(packed(bits), { window: 8, lookahead: 4 }), Uint8Array.of(1, 2));
  const wrong: [string, string][] = [
    [`${bits}000001`, "repeat"],
    [`${bits}100000`, "literal"],
    [`${bits}00000000000000`, "a"],
  ];
  for (const [bits, word] of wrong.slice(0, 2)) {
    assertThrows(() => decompress(packed(bits), { window: 8, lookahead: 4 }), TypeError, word);
  }
  // A whole byte of zeros after the filling: 14 bits, one more than a repeat has.
  const more = decompress(packed(wrong[2]![0]), { window: 8, lookahead: 4 });
  assertEquals(more, Uint8Array.of(1, 2, 2)); // they are a repeat of one byte, which is valid
  const short = { window: 11, lookahead: 4 };
  assertThrows(() => decompress(packed(wrong[2]![0]), short), TypeError, "repeat");
});

Deno.test("a decoder survives any bytes: a result, or the error about its end", () => {
  fc.assert(
    fc.property(formats, fc.uint8Array({ maxLength: 60 }), (format, bytes) => {
      const results = RINGS.map((ring) => {
        try {
          return decompress(bytes, format, ring);
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
          return error.message;
        }
      });
      assertEquals(results[0], results[1]);
    }),
    { numRuns: 40 },
  );
});

Deno.test("settings that the format does not have are refused", () => {
  for (const window of [3, 16, 8.5, NaN]) {
    assertThrows(() => compress(new Uint8Array(1), { window }), RangeError, `of ${window} bits`);
  }
  for (const [window, lookahead] of [[4, 4], [8, 2], [15, 15], [8, 3.5]] as const) {
    const settings = { window, lookahead };
    assertThrows(() => decompress(new Uint8Array(1), settings), RangeError, `of ${lookahead} bits`);
  }
});

Deno.test("the streams compress and decompress chunk by chunk, and an empty one is empty", async () => {
  const bytes = bytesFrom(3, 20_000);
  const chunks = Array.from({ length: 20 }, (_, i) => bytes.subarray(i * 1000, (i + 1) * 1000));
  for (const source of [chunks, [bytes], []]) {
    const through = ReadableStream.from(source).pipeThrough(compression()).pipeThrough(
      decompression(),
    );
    const result = await new Response(through as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
    assertEquals(result, source.length > 0 ? bytes : new Uint8Array());
  }
});

Deno.test(
  "the streams give their memory back when they end, fail, are cancelled or aborted",
  checkLeaks(async () => {
    const small = compress(bytesFrom(0, 5000));
    const cut = () => ReadableStream.from([small.subarray(0, -1)]).pipeThrough(decompression());
    await assertRejects(() => Array.fromAsync(cut()), TypeError, "it was cut off");
    const endless = ReadableStream.from((function* () {
      for (;;) yield bytesFrom(0, 9000);
    })());
    for await (const _block of endless.pipeThrough(compression())) break;
    const aborted = compression();
    const writer = aborted.writable.getWriter();
    writer.closed.catch(() => {});
    await writer.abort("enough");
  }),
);

Deno.test("an encoder and a decoder refuse bytes after their end", () => {
  for (const coder of [new Encoder({}, () => {}), new Decoder({}, () => {})]) {
    coder.end();
    coder.end();
    assertThrows(() => coder.write(new Uint8Array(1)), TypeError, "the stream has ended");
  }
});
