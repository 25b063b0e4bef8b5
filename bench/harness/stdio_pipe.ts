/**
 * Deno's own means: messages through the pipes to a child process and back.
 *
 * @module
 */

import { type BytePlan, ByteSide, type Carrier, promised } from "./byte_side.ts";
import { settleOn } from "./machine.ts";
import type { Contender } from "./rounds.ts";

/** A child process that answers on its standard output the messages from its standard input. */
class Child implements Carrier, AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(plan: BytePlan, cpu: number) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", import.meta.url, JSON.stringify(plan)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    settleOn([cpu], this.#process.pid);
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.getReader();
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#writer.write(bytes);
    return bytes.length;
  }

  async read(): Promise<number | null> {
    const { value } = await this.#reader.read();
    return value?.length ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#process.status;
  }
}

/** A contender whose other process runs on this processor. */
export function onPipe(plan: BytePlan, cpu: number, stack: AsyncDisposableStack): Contender {
  const side = new ByteSide(stack.use(new Child(plan, cpu)), plan.bytes);
  return promised("Deno, stdio pipes", plan, () => side.ask(plan));
}

if (import.meta.main) {
  const { bytes, answerEvery, answerBytes }: BytePlan = JSON.parse(Deno.args[0]!);
  const carrier: Carrier = {
    read: (room) => Deno.stdin.read(room),
    write: (answer) => Deno.stdout.write(answer),
  };
  const side = new ByteSide(carrier, answerBytes);
  while (await side.receive(bytes * answerEvery)) await side.send(1);
}
