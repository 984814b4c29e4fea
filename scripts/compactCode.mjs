// SPDX-License-Identifier: Apache-2.0
// A transform for asc: less code for the same program, in every image. What is shortened here the
// compiler writes again and again, and a board holds an image's code several times over.
import { readFileSync } from "node:fs";
import {
  BinaryOp,
  Compiler,
  ElementKind,
  ExpressionId,
  getBlockChildAt,
  getBlockChildCount,
  getCallOperandAt,
  getCallOperandCount,
  getExpressionId,
  isConstZero,
  Module,
  TypeRef,
} from "assemblyscript";
import { Transform } from "assemblyscript/transform";

/** A function that is called in one place becomes part of it, up to this many instructions. */
const INLINED_SIZE = 1000;
/** Its functions are called by the compiler alone: no source imports it. */
const HELPERS = "assembly/objects.ts";

const { setOneCallerInlineMaxSize, addFunction } = Module.prototype;
const { compile, makeFieldInitializationInConstructor } = Compiler.prototype;

/** The compiler at work; asc makes one for each image. */
let compiler;
Compiler.prototype.compile = function () {
  compiler = this;
  Object.defineProperty(this.program, "newInstance", { get: () => instanceOf("newOfZeros") });
  return compile.call(this);
};

/** A function of the helpers' file. */
function instanceOf(name) {
  const { program } = compiler;
  const prototype = program.elementsByName.get(`assembly/objects/${name}`);
  const instance = program.resolver.resolveFunction(prototype, null);
  compiler.compileFunction(instance);
  return instance;
}

Module.prototype.setOneCallerInlineMaxSize = function () {
  setOneCallerInlineMaxSize.call(this, INLINED_SIZE);
};

/** Objects begin as zeros: no constructor stores any. A store is a call of the field's setter. */
Compiler.prototype.makeFieldInitializationInConstructor = function (owner, statements = []) {
  for (const store of makeFieldInitializationInConstructor.call(this, owner)) {
    const isZero = getCallOperandCount(store) === 2 && isConstZero(getCallOperandAt(store, 1));
    if (!isZero) statements.push(store);
  }
  return statements;
};

/** The two visitors of the garbage collector are written anew. */
Module.prototype.addFunction = function (name, parameters, results, locals, body) {
  if (name === "~lib/rt/__visit_globals") body = withoutConstants(this, body);
  if (name === "~lib/rt/__visit_members") body = visitMembers(this);
  return addFunction.call(this, name, parameters, results, locals, body);
};

/** Constants lie in static memory, refer to nothing and are never freed: their visits are idle. */
function withoutConstants(module, body) {
  const visits = [];
  for (let i = 0; i < getBlockChildCount(body); i++) {
    const visit = getBlockChildAt(body, i);
    // A variable is visited if it is not null, a constant always.
    if (getExpressionId(visit) === ExpressionId.If) visits.push(visit);
  }
  return module.block(null, visits);
}

/** A mask of the words that refer to other objects for each class, instead of a visit for each. */
function visitMembers(module) {
  const { program } = compiler;
  const object = () => module.local_get(0, TypeRef.I32);
  const cookie = () => module.local_get(1, TypeRef.I32);
  const visitWords = instanceOf("visitWords").internalName;
  const targets = [];
  const cases = new Map();
  for (const instance of program.managedClasses.values()) {
    const words = referringWords(instance);
    const name = words === null ? instance.internalName : `words ${words}`;
    targets.push(name);
    if (cases.has(name)) continue;
    const visit =
      words === null
        ? module.call(`${name}~visit`, [object(), cookie()], TypeRef.None)
        : module.call(visitWords, [object(), constant(module, words), cookie()], TypeRef.None);
    cases.set(name, words === 0n ? [module.return()] : [visit, module.return()]);
  }
  // The class's number stands before the object.
  const place = module.binary(BinaryOp.SubI32, object(), module.i32(8));
  const number = module.load(4, false, place, TypeRef.I32, 0);
  const names = [...cases.keys(), "none"];
  let code = module.block(names[0], [module.switch(targets, "none", number)], TypeRef.None);
  names.slice(1).forEach((name, i) => {
    code = module.block(name, [code, ...cases.get(names[i])], TypeRef.None);
  });
  return module.block(null, [code, module.unreachable()]);
}

/** Bit n is set where word n of such an object refers to another; null for lists of the library. */
function referringWords(instance) {
  if (instance.isPointerfree) return 0n;
  if (instance.isDeclaredInLibrary && instance.getMember("__visit")) return null;
  let words = instance.base ? referringWords(instance.base) : 0n;
  for (const member of instance.members?.values() ?? []) {
    const field = member.kind === ElementKind.PropertyPrototype ? member.instance : null;
    const isOwn = field?.isField && field.getBoundClassOrInterface() === instance;
    if (isOwn && field.type.isManaged) words |= 1n << BigInt(field.memoryOffset / 4);
  }
  if (words >= 1n << 64n)
    throw new Error(`${instance.internalName} has references after 256 bytes.`);
  return words;
}

function constant(module, value) {
  return module.i64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

/** Besides all that is done by loading this file: makes the helpers part of each image. */
export default class CompactCode extends Transform {
  afterParse(parser) {
    const source = readFileSync(new URL(`../${HELPERS}`, import.meta.url), "utf8");
    parser.parseFile(source, HELPERS, false);
  }
}
