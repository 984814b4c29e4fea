// SPDX-License-Identifier: Apache-2.0
// The text of an economy file as JSON of which each key means one thing: no key twice in an object,
// none that JavaScript reads in its own way, no depth that no economy has. And how text from a file
// is shown on a terminal.
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** The tree with its plain value; or what is wrong and at which character. */
export type ReadTree =
  | { tree: Node; value: unknown }
  | { tree: undefined; offset: number; problem: string };

/** Deeper than any place of the schema. */
const DEPTH_LIMIT = 16;
/** Longest name in certificates and tickets, in UTF-8 (docs/protocol.cddl, `name`). */
const NAME_BYTES = 48;
/** Longest text from a file within a message. */
const SHOWN_LIMIT = 240;

/** Reads a file's text. */
export function readTree(text: string): ReadTree {
  const deep = tooDeepAt(text);
  if (deep !== undefined) return wrong(deep, `this is nested more than ${DEPTH_LIMIT} deep`);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { disallowComments: true, allowEmptyContent: false });
  const first = errors[0];
  if (tree === undefined || first !== undefined) {
    const what = first === undefined ? "it is empty" : words(printParseErrorCode(first.error));
    return wrong(first?.offset ?? 0, `this is not JSON: ${what}`);
  }
  const key = unfitKey(tree);
  if (key !== undefined) return wrong(key.node.offset, key.problem);
  return { tree, value: plainValue(tree) };
}

/** Text from a file as it may go to a terminal: nothing invisible in it, and not too long. */
export function shown(text: string): string {
  const visible = text.replace(UNSHOWABLE, escaped);
  if (visible.length <= SHOWN_LIMIT) return visible;
  // The end says what is wrong.
  const half = SHOWN_LIMIT / 2;
  return `${visible.slice(0, half)}...${visible.slice(-half)}`;
}

/** Why a name of at most so many bytes is none; undefined where it is one. */
export function nameProblem(name: string, limit = NAME_BYTES): string | undefined {
  const size = new TextEncoder().encode(name).length;
  if (size > limit) return `"${name}" takes ${size} bytes, more than firmware's ${limit}`;
  if (name.search(UNSHOWABLE) >= 0) return `"${name}" has a character that nobody sees`;
  return name.trim() === name ? undefined : `"${name}" begins or ends with a space`;
}

const UNSHOWABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}

function wrong(offset: number, problem: string): ReadTree {
  return { tree: undefined, offset, problem };
}

/** Where brackets go deeper than the limit; the parser is recursive and would use up the stack. */
function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isString && character === "\\") at += 1;
    else if (character === '"') isString = !isString;
    else if (!isString && (character === "{" || character === "[")) depth += 1;
    else if (!isString && (character === "}" || character === "]")) depth -= 1;
    if (depth > DEPTH_LIMIT) return at;
  }
  return undefined;
}

/** The first key that is in its object already, or that is no key of a plain object. */
function unfitKey(node: Node): { node: Node; problem: string } | undefined {
  const keys = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (node.type === "object") {
      const [key] = child.children ?? [];
      if (key === undefined) continue;
      if (key.value === "__proto__") return { node: key, problem: "__proto__ is no key" };
      if (keys.has(key.value)) return { node: key, problem: `"${key.value}" is here twice` };
      keys.add(key.value);
    }
    const deeper = unfitKey(child);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** "CommaExpected" as "comma expected". */
function words(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}

/** The plain value of a parsed tree. */
function plainValue(node: Node): unknown {
  switch (node.type) {
    case "object": {
      const object: Record<string, unknown> = {};
      for (const property of node.children ?? []) {
        const [key, value] = property.children ?? [];
        if (key !== undefined && value !== undefined) object[String(key.value)] = plainValue(value);
      }
      return object;
    }
    case "array":
      return (node.children ?? []).map(plainValue);
    default:
      return node.value;
  }
}
