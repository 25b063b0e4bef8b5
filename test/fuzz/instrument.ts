/**
 * Puts a counter into every branch of a bundle.
 *
 * @module
 */

import { type AnyNode, parse } from "acorn";
import MagicString from "magic-string";

/** An instrumented program. */
export interface Instrumented {
  readonly text: string;
  /** The number of branches. */
  readonly branches: number;
}

/** The global array that has a byte for each branch: 1 once it was taken. */
export const HITS = "__branchHits";

/** Instruments a module. */
export function instrument(source: string): Instrumented {
  const text = new MagicString(source);
  let branches = 0;
  const mark = () => `${HITS}[${branches++}]=1`;
  const inBlock = (node: AnyNode) => {
    if (node.type === "BlockStatement") text.appendRight(node.start + 1, `${mark()};`);
    else {
      text.appendRight(node.start, `{${mark()};`);
      text.appendLeft(node.end, "}");
    }
  };
  const inExpression = (node: AnyNode) => {
    text.appendRight(node.start, `(${mark()},`);
    text.appendLeft(node.end, ")");
  };
  const visit = (node: AnyNode) => {
    switch (node.type) {
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
        if (node.body.type === "BlockStatement") inBlock(node.body);
        else inExpression(node.body);
        break;
      case "IfStatement":
        inBlock(node.consequent);
        if (node.alternate) inBlock(node.alternate);
        break;
      case "ForStatement":
      case "ForOfStatement":
      case "ForInStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        inBlock(node.body);
        break;
      case "SwitchCase":
        if (node.consequent.length > 0) text.appendRight(node.consequent[0]!.start, `${mark()};`);
        break;
      case "CatchClause":
        inBlock(node.body);
        break;
      case "ConditionalExpression":
        inExpression(node.consequent);
        inExpression(node.alternate);
        break;
      case "LogicalExpression":
        inExpression(node.right);
        break;
    }
    for (const child of Object.values(node)) {
      for (const one of Array.isArray(child) ? child : [child]) {
        if (one !== null && typeof one === "object" && typeof one.type === "string") visit(one);
      }
    }
  };
  visit(parse(source, { ecmaVersion: "latest", sourceType: "module" }));
  text.prepend(`const ${HITS} = globalThis.${HITS};\n`);
  return { text: text.toString(), branches };
}
