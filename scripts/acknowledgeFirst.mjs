// SPDX-License-Identifier: Apache-2.0
// A transform for asc that breaks the commit order, for a test image alone: the payer's
// acknowledgement leaves before its `committed` is in the journal (docs/protocol.md rule 4.2 the
// wrong way round).
import { Transform } from "assemblyscript/transform";

const FILE = "assembly/money/commit.ts";
const METHOD = "readyReceived";
/** Beginnings of the statements that send the acknowledgement, and of the one they go before. */
const MOVED = ["session.compose(ModuleMessage.ACKNOWLEDGEMENT)", "session.send(true)"];
const BEFORE = "const record = describe(payment, PaymentState.COMMITTED)";

export default class AcknowledgeFirst extends Transform {
  afterParse(parser) {
    const source = parser.sources.find(({ normalizedPath }) => normalizedPath === FILE);
    const classes = source?.statements.flatMap(({ members }) => members ?? []) ?? [];
    const method = classes.find(({ name, body }) => name?.text === METHOD && body);
    const statements = method?.body.statements ?? [];
    const textOf = ({ range }) => source.text.slice(range.start, range.end);
    const isMoved = (one) => MOVED.some((beginning) => textOf(one).startsWith(beginning));
    const moved = statements.filter(isMoved);
    const rest = statements.filter((one) => !isMoved(one));
    const place = rest.findIndex((one) => textOf(one).startsWith(BEFORE));
    if (moved.length !== MOVED.length || place < 0) {
      throw new Error(`${FILE} no longer has the statements that ${METHOD} is broken with.`);
    }
    rest.splice(place, 0, ...moved);
    statements.splice(0, statements.length, ...rest);
  }
}
