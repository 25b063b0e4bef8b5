/**
 * The physical memory of the machine: bytes in frames, and nothing that says who may touch them.
 *
 * @module
 */

/** The bytes of a frame, and of a page. */
export const FRAME = 4096;

/** Memory without translation. Page tables lie in it like everything else. */
export class PhysicalMemory {
  /** The bytes that exist; addresses beyond them answer nothing. */
  readonly size: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  #next: number;

  /** Makes zeroed memory, a multiple of the frame. Frame 0 is never given out. */
  constructor(size: number) {
    if (!(Number.isInteger(size) && size >= 2 * FRAME && size <= 2 ** 28 && size % FRAME === 0)) {
      throw new RangeError(
        `Cannot make ${size} bytes of memory: pass a multiple of ${FRAME}, from two frames to 2^28`,
      );
    }
    this.size = size;
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
    this.#next = FRAME;
  }

  /** Gives out unused memory at a multiple of `alignment`; returns its address. */
  allocate(sizeBytes: number = FRAME, alignment: number = sizeBytes): number {
    const address = Math.ceil(this.#next / alignment) * alignment;
    if (address + sizeBytes > this.size) {
      throw new RangeError(
        `Cannot allocate ${sizeBytes} bytes of memory: ${this.size - this.#next} are left`,
      );
    }
    this.#next = address + sizeBytes;
    return address;
  }

  /** Whether memory answers at an address. */
  has(address: number): boolean {
    return address >= 0 && address < this.size;
  }

  /** Loads a byte. */
  load8(address: number): number {
    return this.#view.getUint8(address);
  }

  /** Stores a byte. */
  store8(address: number, value: number): void {
    this.#view.setUint8(address, value);
  }

  /** Loads a word of four bytes; the byte at the lowest address is the lowest part of the number. */
  load32(address: number): number {
    return this.#view.getUint32(address, true);
  }

  /** Stores a word of four bytes. */
  store32(address: number, value: number): void {
    this.#view.setUint32(address, value, true);
  }
}
