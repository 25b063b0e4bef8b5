/**
 * The public face as its documentation states it: every function, every method and getter of every
 * class, and every option. So a method that is added later is tested without a change here.
 *
 * @module
 */

/** A function or method, by its name and the names of its parameters. */
export interface Callable {
  readonly name: string;
  readonly parameters: readonly string[];
  /** The number of parameters that a call must have. */
  readonly needed: number;
}

/** The documented members of a class, with those of its bases. */
interface Members {
  readonly methods: Map<string, Callable>;
  readonly getters: Set<string>;
}

interface Parameter {
  readonly kind: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly left?: { readonly name?: string };
}

interface Declaration {
  readonly kind: string;
  readonly def?: {
    readonly params?: readonly Parameter[];
    readonly extends?: string;
    readonly methods?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly functionDef: { readonly params: readonly Parameter[] };
    }[];
    readonly properties?: readonly { readonly name: string }[];
  };
}

interface Documentation {
  readonly nodes: Readonly<
    Record<
      string,
      { symbols: readonly { name: string; declarations: readonly Declaration[] }[] }
    >
  >;
}

/** The documentation of these modules, as values. */
export class Surface {
  /** The exported functions by name. */
  readonly functions = new Map<string, Callable>();
  /** The names of all options that any function takes. */
  readonly options = new Set<string>();
  readonly #classes = new Map<string, Members & { base: string | undefined }>();

  constructor(modules: readonly string[], root: URL) {
    const { stdout, success } = new Deno.Command(Deno.execPath(), {
      args: ["doc", "--json", ...modules],
      cwd: root,
      stderr: "inherit",
    }).outputSync();
    if (!success) throw new Error("deno doc failed");
    const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as Documentation;
    for (const { symbols } of Object.values(nodes)) {
      for (const { name, declarations } of symbols) {
        for (const declaration of declarations) this.#add(name, declaration);
      }
    }
  }

  #add(name: string, { kind, def = {} }: Declaration): void {
    if (kind === "function") {
      const known = this.functions.get(name);
      const found = callable(name, def.params ?? []);
      if (found.parameters.length >= (known?.parameters.length ?? 0)) {
        this.functions.set(name, found);
      }
    } else if (kind === "interface" && /Options$/.test(name)) {
      for (const property of def.properties ?? []) this.options.add(property.name);
    } else if (kind === "class") {
      const members = { methods: new Map(), getters: new Set<string>(), base: def.extends };
      for (const method of def.methods ?? []) {
        if (method.kind === "getter") members.getters.add(method.name);
        else if (method.kind === "method" && !method.name.startsWith("[")) {
          members.methods.set(method.name, callable(method.name, method.functionDef.params));
        }
      }
      this.#classes.set(name, members);
    }
  }

  /** The names of the documented classes, but those of errors. */
  get classes(): string[] {
    return [...this.#classes.keys()].filter((name) => !name.endsWith("Error"));
  }

  /** The documented members of an object; empty for one of a class that is not documented. */
  membersOf(value: object): Members {
    const all: Members = { methods: new Map(), getters: new Set() };
    for (let name: string | undefined = value.constructor.name; name !== undefined;) {
      const own = this.#classes.get(name);
      for (const [key, method] of own?.methods ?? []) {
        if (!all.methods.has(key)) all.methods.set(key, method);
      }
      for (const key of own?.getters ?? []) all.getters.add(key);
      name = own?.base;
    }
    return all;
  }
}

function callable(name: string, parameters: readonly Parameter[]): Callable {
  const own = parameters.filter((parameter) => parameter.name !== "this");
  const names = own.map((parameter) => parameter.name ?? parameter.left?.name ?? "value");
  const needed = own.findIndex(({ kind, optional }) => optional || kind === "assign");
  return { name, parameters: names, needed: needed < 0 ? names.length : needed };
}
