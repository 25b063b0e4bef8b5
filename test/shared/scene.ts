/**
 * Names that no other test uses, and that are gone after the test whatever happened; and programs
 * in C.
 *
 * @module
 */

/** Where every name of shared memory is. */
const DIRECTORY = "/dev/shm";

let serial = 0;

/** A name; everything with that name is removed with it. */
export class Name implements Disposable {
  /** The name. */
  readonly name: string = `t${Deno.pid}-${++serial}-${crypto.randomUUID().slice(0, 8)}`;

  /** The files that have the name, without their directory. */
  files(): string[] {
    return [...Deno.readDirSync(DIRECTORY)].map(({ name }) => name)
      .filter((file) =>
        // also of a topic below the name, in which slashes are tildes
        file.endsWith(`.${this.name}`) ||
        [".", "~"].some((end) => file.includes(`.${this.name}${end}`))
      );
  }

  /** The file of a region of this type, or of a semaphore. */
  path(type: string): string {
    return type === "sem"
      ? `${DIRECTORY}/sem.${this.name}`
      : `${DIRECTORY}/vring.${type}.${this.name}`;
  }

  /** The value of the semaphore. */
  semaphore(): number {
    return new DataView(Deno.readFileSync(this.path("sem")).buffer).getUint32(0, true);
  }

  [Symbol.dispose](): void {
    for (const file of this.files()) Deno.removeSync(`${DIRECTORY}/${file}`);
  }
}

/** Why no program in C can be made here, or undefined. */
export function whyNoCompiler(): string | undefined {
  try {
    const { success } = new Deno.Command("cc", { args: ["--version"] }).outputSync();
    return success ? undefined : "the C compiler called cc does not work";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no C compiler called cc";
    throw error;
  }
}

/** A program in C that answers each line with a line. */
export class CProgram implements AsyncDisposable {
  readonly #directory: string;
  readonly #process: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #unread = "";

  private constructor(directory: string, args: readonly string[]) {
    this.#directory = directory;
    const pipes = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    this.#process = new Deno.Command(`${directory}/program`, { args: [...args], ...pipes }).spawn();
    this.#requests = this.#process.stdin.getWriter();
    this.#answers = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Compiles and starts a source file. */
  static async start(source: URL, args: readonly string[]): Promise<CProgram> {
    const directory = await Deno.makeTempDir();
    const path = decodeURIComponent(source.pathname);
    const { success } = await new Deno.Command("cc", {
      args: [
        "-std=gnu11",
        "-Wall",
        "-Werror",
        "-O1",
        "-o",
        `${directory}/program`,
        path,
        "-pthread",
      ],
    }).spawn().status;
    if (!success) throw new Error(`${path} does not compile`);
    return new CProgram(directory, args);
  }

  /** Sends a line. */
  async tell(line: string): Promise<void> {
    await this.#requests.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The next line that it writes. */
  async line(): Promise<string> {
    while (!this.#unread.includes("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) throw new Error("The program in C has ended");
      this.#unread += value;
    }
    const end = this.#unread.indexOf("\n");
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 1);
    return line;
  }

  /** Sends a line and gives the answer. */
  async ask(line: string): Promise<string> {
    await this.tell(line);
    return await this.line();
  }

  /** The letter by which the kernel describes it, such as `S` for asleep. */
  get state(): string {
    const stat = Deno.readTextFileSync(`/proc/${this.#process.pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0]!;
  }

  /** Sends a signal. */
  signal(name: Deno.Signal): void {
    this.#process.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await this.#process.status;
    await this.#requests.abort().catch(() => {});
    await this.#answers.cancel();
    await Deno.remove(this.#directory, { recursive: true });
  }
}
