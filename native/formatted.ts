/**
 * Markdown as `deno fmt` writes it.
 *
 * @module
 */

/** Formats the text of a generated document. */
export function formatted(markdown: string): string {
  const file = Deno.makeTempFileSync({ suffix: ".md" });
  try {
    Deno.writeTextFileSync(file, markdown);
    const config = new URL("../deno.json", import.meta.url).pathname;
    const args = ["fmt", "--quiet", "--config", config, file];
    const { success, stderr } = new Deno.Command(Deno.execPath(), { args }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return Deno.readTextFileSync(file);
  } finally {
    Deno.removeSync(file);
  }
}
