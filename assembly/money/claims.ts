// SPDX-License-Identifier: Apache-2.0
// Claims (par. 121, 122; docs/protocol.md rules 4.11 and 4.12): the owner asks the Certification
// Agency for the money of a payment in doubt whose payer never comes back. From the claim on only
// the agency's signed verdict ends the payment.
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { sha256 } from "../crypto/sha256";
import { journal } from "../flash/journal";
import { ACCOUNT_LIMIT, AMOUNT_LIMIT, HASH_SIZE, PAY_ID_SIZE } from "../note/limits";
import { composeHost, sendHost } from "../session/buffers";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { ServerObject } from "../trust/serverObject";
import { nowSeconds } from "../trust/signedTime";
import { CLAIM_ROOM, commit } from "./commit";
import { PaymentRecord, PaymentRole, PaymentState } from "./paymentRecord";
import { payments } from "./payments";
import { Resume } from "./resume";

/** Commands of the owner's host. */
const CLAIM: i32 = 91;
const VERDICT: i32 = 92;
/** A claim besides the payer's offer: heads, account and date. */
const CLAIM_OVERHEAD: i32 = 80;

export class Claims {
  private resume: Resume;

  constructor(resume: Resume) {
    this.resume = resume;
  }

  /** Command 91 or 92. A reason, UNKNOWN_COMMAND for another one; 0 where it was answered. */
  command(number: i32, fields: i32, body: CborReader): i32 {
    if (number == CLAIM && fields == 2) return this.claim(body);
    if (number == VERDICT && fields == 1) return this.verdict(body);
    return Reason.UNKNOWN_COMMAND;
  }

  /** [ pay-id, account ]: makes the claim durable, then tells it; repeated, the same one. */
  private claim(body: CborReader): i32 {
    const payId = body.bytesExact(PAY_ID_SIZE);
    const account = body.text(ACCOUNT_LIMIT);
    if (!body.atEnd() || account.length == 0) return Reason.MALFORMED;
    const record = PaymentRecord.find(payId);
    if (record == null) return Reason.UNKNOWN_TRANSACTION;
    if (!record.isClaimed) {
      const reason = this.make(record, account);
      if (reason != Reason.NONE) return reason;
    } else if (record.state != PaymentState.IN_DOUBT) {
      return Reason.ALREADY_DONE;
    }
    composeHost(CLAIM, 1).rawFrom(record.statement);
    sendHost();
    return Reason.NONE;
  }

  private make(record: PaymentRecord, account: Bytes): i32 {
    const running = payments.ofPayId(record.payId);
    const isRunning = running != null && !running.isOver;
    // Only who promised to take the money, and had the payer's word for it, can claim it.
    const isDoubtful = record.role == PaymentRole.PAYEE && record.state == PaymentState.IN_DOUBT;
    if (!isDoubtful || isRunning || record.statement.length == 0) return Reason.WRONG_STATE;
    if (nowSeconds() >= record.horizon) return Reason.NOTE_EXPIRED;
    const size = record.statement.length + CLAIM_OVERHEAD;
    const writer = new CborWriter(pointerOf(new StaticArray<u8>(size)), size);
    writer.array(3);
    writer.rawFrom(record.statement);
    writer.textFrom(account);
    writer.uint(nowSeconds());
    const claim = identity.sign(Purpose.CLAIM, writer.pointer, writer.length);
    if (claim == null) return Reason.FLASH_DAMAGED;
    record.statement = claim;
    record.setClaimed();
    journal.begin();
    record.put();
    return journal.commitReserved(true, CLAIM_ROOM) ? Reason.NONE : Reason.JOURNAL_FULL;
  }

  /** [ [ COSE<verdict>, server certificate ] ]: the agency paid, or refused for a reason. */
  private verdict(body: CborReader): i32 {
    const object = new ServerObject();
    if (!body.raw() || !body.atEnd()) return Reason.MALFORMED;
    if (!object.read(body.viewPointer, body.viewLength)) return Reason.MALFORMED;
    const reader = new CborReader(object.payload, object.payloadLength);
    reader.arrayOf(5);
    const payId = reader.bytesExact(PAY_ID_SIZE);
    const claimHash = reader.bytesExact(HASH_SIZE);
    const state = <u8>reader.uintAtMost(PaymentState.COMMITTED);
    // Why it is refused is for the owner to read.
    reader.uintAtMost(u8.MAX_VALUE);
    const seconds = reader.uintAtMost(AMOUNT_LIMIT);
    if (!reader.atEnd() || state == PaymentState.NONE) return Reason.MALFORMED;
    const record = PaymentRecord.find(payId);
    if (record == null) return Reason.UNKNOWN_TRANSACTION;
    if (record.state != PaymentState.IN_DOUBT) return Reason.ALREADY_DONE;
    if (!record.isClaimed || !isOfClaim(claimHash, record.statement)) return Reason.WRONG_STATE;
    const refusal = object.reason(Purpose.VERDICT, seconds);
    if (refusal != Reason.NONE) return refusal;
    if (!this.end(record, state, object)) return Reason.JOURNAL_FULL;
    composeHost(VERDICT, 1).uint(<u64>state);
    sendHost();
    this.resume.tell(record);
    return Reason.NONE;
  }

  private end(record: PaymentRecord, state: u8, verdict: ServerObject): bool {
    if (state == PaymentState.ABORTED) {
      return this.resume.aborted(record, <u8>Reason.CLAIM_REFUSED, new StaticArray<u8>(0));
    }
    const evidence = new StaticArray<u8>(HASH_SIZE);
    sha256(verdict.payload, verdict.payloadLength, pointerOf(evidence));
    record.reason = <u8>Reason.CLAIM_PAID;
    return commit.paidByAgency(record, evidence);
  }
}

/** Whether this is the SHA-256 of the claim's payload. */
function isOfClaim(hash: Bytes, claim: Bytes): bool {
  const cose = new CoseSign1();
  const own = new StaticArray<u8>(HASH_SIZE);
  if (!cose.parse(pointerOf(claim), claim.length)) return false;
  sha256(cose.payloadPointer, cose.payloadLength, pointerOf(own));
  return memory.compare(pointerOf(own), pointerOf(hash), HASH_SIZE) == 0;
}
