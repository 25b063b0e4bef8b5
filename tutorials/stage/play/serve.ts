/**
 * Serves a folder on this machine, as any static server would: no special headers, no other files.
 *
 * @module
 */

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  json: "application/json",
  svg: "image/svg+xml",
};

/** A server that stops when it is disposed. */
export interface Served extends AsyncDisposable {
  /** The address of the folder, with a slash at its end. */
  readonly url: string;
}

/** Serves the files of a folder below a path such as `/` or `/any/path/`. */
export function serveFolder(folder: string, path = "/"): Served {
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const server = Deno.serve(options, async (request) => {
    const { pathname } = new URL(request.url); // without any `..`
    const name = decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    const isBelow = name.startsWith(path) && !name.split("/").includes("..");
    const bytes = isBelow ? await read(`${folder}/${name.slice(path.length)}`) : undefined;
    if (bytes === undefined) return new Response("not found", { status: 404 });
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "text/plain";
    return new Response(bytes, { headers: { "content-type": type } });
  });
  const url = `http://127.0.0.1:${server.addr.port}${path}`;
  return { url, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) {
      return undefined;
    }
    throw error;
  }
}
