/**
 * The connections of commands to a network, and the permissions that they need.
 *
 * The client of the network is a dependency, so it is loaded only here, when a command needs it.
 *
 * @module
 */

import type { NatsCarrier } from "../bridge/mod.ts";
import { VringError } from "../errors.ts";
import { type Call, type Option, UsageError } from "./command.ts";
import { oldFile } from "./files.ts";

/** The options of commands that use a network. */
export const NETWORK_OPTIONS: Readonly<Record<string, Option>> = {
  server: { value: "URL", summary: "the server, such as nats://host:4222; no password in it" },
  context: { value: "NAME", summary: "a context of NATS's own command, or the path of its file" },
  realm: { value: "NAME", summary: 'the name that bridges share; "default" by default' },
};

/** Connects to NATS as the options say, and waits until the server is there. */
export async function connectNetwork({ options, out, end }: Call): Promise<NatsCarrier> {
  const { server, context } = options;
  if (typeof server === "string" && /\/\/[^/]*@/.test(server)) {
    throw new UsageError(
      "Cannot use a --server with credentials: other users see the arguments of a program; put " +
        "them into a context file, and pass --context",
    );
  }
  if (server === undefined && context === undefined) {
    throw new UsageError("Cannot connect: pass --server nats://host:4222 or --context NAME");
  }
  const { connectNats, natsContext } = await import("../bridge/mod.ts");
  const file = typeof context === "string" ? contextPath(context) : undefined;
  const given = file === undefined
    ? undefined
    : natsContext(new TextDecoder().decode(contents(file)), file, contents);
  const servers = typeof server === "string" ? server.split(",") : given?.servers;
  let failure: string | undefined;
  const onRetry = (reason: string) => {
    if (failure === undefined) out.line(`Waiting for ${reason}`);
    failure = reason;
  };
  try {
    return await connectNats({ client: given?.client, servers, signal: end, onRetry });
  } catch (error) {
    if (error !== end.reason || failure === undefined) throw error;
    throw new VringError(`Cannot connect to ${failure}; start the server, or correct its address`);
  }
}

/** Returns the name of this machine, or what the option says. */
export function hostName(given: string | true | undefined): string {
  if (typeof given === "string") return given;
  try {
    return Deno.hostname();
  } catch (error) {
    throw permitted(
      error,
      "learn the name of this machine",
      "--allow-sys=hostname, or --host NAME",
    );
  }
}

/** Returns the path of a context of NATS's command line. */
function contextPath(context: string): string {
  if (/[/.]/.test(context)) return context;
  try {
    const home = Deno.env.get("XDG_CONFIG_HOME") ?? `${Deno.env.get("HOME")}/.config`;
    return `${home}/nats/context/${context}.json`;
  } catch (error) {
    throw permitted(error, "find the context", "--allow-env=HOME,XDG_CONFIG_HOME");
  }
}

function contents(path: string): Uint8Array<ArrayBuffer> {
  using file = oldFile(path);
  return file.readAt(0, 2 ** 20);
}

function permitted(error: unknown, action: string, flag: string): unknown {
  if (!(error instanceof Deno.errors.NotCapable)) return error;
  return new VringError(`Cannot ${action}: the permission is missing; run with ${flag}`);
}
