/**
 * The other side of a {@linkcode Party}: runs the functions that come in, and answers each.
 *
 * @module
 */

const port = self as unknown as {
  onmessage: ((event: MessageEvent<string>) => void) | null;
  postMessage?(message: string): void;
  readonly name?: string;
};

/** The argument that the party was started with. */
export function givenArgument(): string {
  return port.postMessage === undefined ? Deno.args[0]! : port.name!;
}

/** Serves until it is ended; every function gets the tools. */
export async function serve(tools: unknown): Promise<void> {
  if (port.postMessage !== undefined) {
    port.onmessage = async ({ data }) => port.postMessage!(await answer(tools, data));
    port.postMessage("listens");
    return;
  }
  const encoder = new TextEncoder();
  let unread = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    unread += text;
    for (let end; (end = unread.indexOf("\n")) >= 0;) {
      const line = unread.slice(0, end);
      unread = unread.slice(end + 1);
      answer(tools, line).then((result) => Deno.stdout.writeSync(encoder.encode(`${result}\n`)));
    }
  }
}

async function answer(tools: unknown, request: string): Promise<string> {
  const { id, source, argument } = JSON.parse(request);
  try {
    const act = (0, eval)(`(${source})`) as (tools: unknown, argument: unknown) => unknown;
    return JSON.stringify({ id, value: await act(tools, argument) });
  } catch (error) {
    const { name, message } = error as Error;
    return JSON.stringify({ id, error: { name, message } });
  }
}
