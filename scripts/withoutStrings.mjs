// SPDX-License-Identifier: Apache-2.0
// A transform for asc: images without strings. An assertion that fails tells the board its line and
// column (assembly/board.ts, `panic`) and nothing else, yet the compiler would keep every message
// and file name in memory, some 2 KB of 64. No other code of the firmware has text: it has bytes.
import { Compiler } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

const { makeAbort } = Compiler.prototype;

/** What the compiler puts into abort calls by itself: file names, and what a check found. */
Compiler.prototype.ensureStaticString = function () {
  return this.makeZero(this.program.stringInstance.type);
};

/** Assertions and `throw` without the message that the source gives. */
Compiler.prototype.makeAbort = function (_message, place) {
  return makeAbort.call(this, null, place);
};

/** Any other text would become null: better no image than that one. */
function refuse(literal) {
  throw new Error(
    `The image has the text "${literal.value ?? literal.rawParts}": write it as Bytes.`,
  );
}
Compiler.prototype.compileStringLiteral = refuse;
Compiler.prototype.compileTemplateLiteral = refuse;

/** asc wants a class; all is done by loading this file. */
export default class WithoutStrings extends Transform {}
