/**
 * What the engine and the algorithms use and a browser of the last two years may not have.
 *
 * @module
 */

/** Gives a prototype or a constructor a member, unless it has it. */
function provide(target: object, name: string | symbol, value: unknown): void {
  if (name in target) return;
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

provide(Symbol, "dispose", Symbol("dispose"));
provide(Symbol, "asyncDispose", Symbol("asyncDispose"));

provide(Promise, "withResolvers", function <T>() {
  let resolve, reject;
  const promise = new Promise<T>((yes, no) => [resolve, reject] = [yes, no]);
  return { promise, resolve, reject };
});

provide(Uint8Array.prototype, "toHex", function (this: Uint8Array): string {
  return Array.from(this, (byte) => byte.toString(16).padStart(2, "0")).join("");
});

provide(
  globalThis,
  "SuppressedError",
  class SuppressedError extends Error {
    readonly error: unknown;
    readonly suppressed: unknown;
    constructor(error: unknown, suppressed: unknown, message?: string) {
      super(message);
      this.error = error;
      this.suppressed = suppressed;
    }
  },
);

/** Disposes what it holds in reverse; the first error wins. */
class Stack implements Disposable {
  #disposers: (() => void)[] = [];

  use<T extends Disposable | null | undefined>(value: T): T {
    if (value) this.#disposers.push(() => value[Symbol.dispose]());
    return value;
  }
  defer(dispose: () => void): void {
    this.#disposers.push(dispose);
  }
  adopt<T>(value: T, dispose: (value: T) => void): T {
    this.#disposers.push(() => dispose(value));
    return value;
  }
  move(): Stack {
    const moved = new Stack();
    [moved.#disposers, this.#disposers] = [this.#disposers, []];
    return moved;
  }
  dispose(): void {
    const failures: unknown[] = [];
    for (const dispose of this.#disposers.splice(0).reverse()) {
      try {
        dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

provide(globalThis, "DisposableStack", Stack);
