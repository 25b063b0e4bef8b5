/**
 * Reads what a dynamic loader reads of a 64-bit little-endian ELF file: program headers and the
 * dynamic section. The embedded libraries have no section headers.
 *
 * @module
 */

/** What a shared library says about itself. */
export interface Elf {
  /** The processor: 62 is x86_64, 183 aarch64. */
  readonly machine: number;
  /** The name by which the loader finds it again. */
  readonly soname: string | undefined;
  /** The libraries it cannot do without. */
  readonly needed: readonly string[];
  /** The names that it offers. */
  readonly exported: readonly string[];
  /** The names that it asks for and cannot do without. */
  readonly required: readonly string[];
  /** Whether it stays once it is loaded. */
  readonly nodelete: boolean;
  /** Whether it asks for a stack that can be executed. */
  readonly executableStack: boolean;
  /** The alignment of each loaded segment. */
  readonly alignments: readonly number[];
}

const Segment = { load: 1, dynamic: 2, stack: 0x6474e551 } as const;
const Tag = {
  needed: 1,
  strings: 5,
  symbols: 6,
  soname: 14,
  gnuHash: 0x6ffffef5,
  flags1: 0x6ffffffb,
} as const;
const EXECUTABLE = 1;
const NODELETE = 8;
const WEAK = 2;

/** Parses a shared library. */
export function parseElf(bytes: Uint8Array<ArrayBuffer>): Elf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  const segments = Array.from({ length: view.getUint16(56, true) }, (_, i) => {
    const at = u64(32) + i * view.getUint16(54, true);
    const [offset, address, size] = [u64(at + 8), u64(at + 16), u64(at + 32)];
    const [type, flags] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    return { type, flags, offset, address, size, alignment: u64(at + 48) };
  });
  const loads = segments.filter(({ type }) => type === Segment.load);
  const offsetOf = (address: number) => {
    const load = loads.find((l) => l.address <= address && address < l.address + l.size);
    if (!load) throw new Error(`Nothing of the file is at ${address}`);
    return address - load.address + load.offset;
  };

  const tags: [tag: number, value: number][] = [];
  const dynamic = segments.find(({ type }) => type === Segment.dynamic)!;
  for (let at = dynamic.offset; u64(at) !== 0; at += 16) tags.push([u64(at), u64(at + 8)]);
  const values = (wanted: number) => tags.filter(([tag]) => tag === wanted).map(([, v]) => v);

  const strings = offsetOf(values(Tag.strings)[0]!);
  const text = (offset: number) => {
    const start = strings + offset;
    return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)));
  };
  const symbols = Array.from(
    { length: countSymbols(view, offsetOf(values(Tag.gnuHash)[0]!)) },
    (_, i) => {
      const at = offsetOf(values(Tag.symbols)[0]!) + 24 * i;
      return {
        name: text(view.getUint32(at, true)),
        weak: bytes[at + 4]! >> 4 === WEAK,
        defined: view.getUint16(at + 6, true) !== 0,
      };
    },
  ).filter(({ name }) => name !== ""); // nameless symbols are sections, and the first one is empty

  const names = (chosen: typeof symbols) => chosen.map(({ name }) => name).sort();
  return {
    machine: view.getUint16(18, true),
    soname: values(Tag.soname).map(text)[0],
    needed: values(Tag.needed).map(text),
    exported: names(symbols.filter(({ defined }) => defined)),
    required: names(symbols.filter(({ defined, weak }) => !defined && !weak)),
    nodelete: values(Tag.flags1).some((flags) => (flags & NODELETE) !== 0),
    executableStack: segments.some(({ type, flags }) =>
      type === Segment.stack && (flags & EXECUTABLE) !== 0
    ),
    alignments: loads.map(({ alignment }) => alignment),
  };
}

/** The file does not store the table's length; the longest chain of its hash table ends with it. */
function countSymbols(view: DataView, hash: number): number {
  const u32 = (at: number) => view.getUint32(at, true);
  const [buckets, first, blooms] = [u32(hash), u32(hash + 4), u32(hash + 8)];
  const start = hash + 16 + 8 * blooms;
  let last = first - 1;
  for (let i = 0; i < buckets; i++) last = Math.max(last, u32(start + 4 * i));
  if (last < first) return first;
  const chains = start + 4 * buckets;
  while ((u32(chains + 4 * (last - first)) & 1) === 0) last++;
  return last + 1;
}
