/**
 * The steps of the calls that native/words.c fuses: the reference. The explorer runs these steps,
 * processes are killed between them, and a test compares the native calls with them.
 *
 * @module
 */

/** The single steps, on memory `M`. */
interface Steps<M> {
  copyIn(memory: M, offset: number, source: Uint8Array, length: number): void;
  copyOut(memory: M, offset: number, target: Uint8Array<ArrayBuffer>, length: number): void;
  storeDouble(memory: M, offset: number, value: number): void;
}

/** A word, and the bells that it is published to. */
interface Published<B> {
  storeThenGlance(value: number, bell: B): number;
}

/** Returns the calls, made of single steps. */
export function inSteps<M, B>({ copyIn, copyOut, storeDouble }: Steps<M>) {
  return {
    sendIn(
      memory: M,
      offset: number,
      message: Uint8Array,
      length: number,
      word: Published<B>,
      value: number,
      bell: B,
    ): number {
      copyIn(memory, offset + 8, message, length);
      storeDouble(memory, offset, length);
      return word.storeThenGlance(value, bell);
    },
    receiveOut(
      memory: M,
      offset: number,
      target: Uint8Array<ArrayBuffer>,
      length: number,
      pair: number,
      count: number,
      word: Published<B>,
      value: number,
      bell: B,
    ): number {
      copyOut(memory, offset, target, length);
      storeDouble(memory, pair, value);
      storeDouble(memory, pair + 8, count);
      return word.storeThenGlance(value, bell);
    },
  };
}
