// SPDX-License-Identifier: Apache-2.0
// What both sides of a purchase or sale of electronic money share (Fig. 7): the terms that session
// and offer imply, the price, the payment of the two money modules, and messages of one item.
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Manner } from "../session/manner";
import { authorizationFor, Direction, feeFor, NO_AMOUNT } from "../ticket/conversion";
import { MerchantIdentity } from "../ticket/credential";
import { OfferTerms, readOffer } from "../ticket/merchantOffer";
import { PurchaseTerms } from "../ticket/receipt";
import { Certificate } from "../trust/certificate";
import { Reason } from "../trust/reasons";
import { nowSeconds } from "../trust/signedTime";
import { FIRST, MoneyModulePayment, readAnnouncement } from "./moneyModulePayment";
import { MoneyTerms } from "./moneyTerms";
import { Transaction } from "./transaction";

export abstract class Purchase extends Transaction {
  protected terms: PurchaseTerms = new PurchaseTerms();
  /** What the merchant credential states; field 22 of the receipt says the same. */
  protected merchant: MerchantIdentity = new MerchantIdentity();

  /** The agents and the ids of the purchase, which are those of the session. */
  protected identify(customer: Bytes, merchant: Bytes): void {
    const terms = this.terms;
    terms.customer = customer;
    terms.merchant = merchant;
    terms.transactionId = this.session.transactionId(FIRST);
    terms.payId = this.session.payId(FIRST);
    this.payId = terms.payId;
  }

  /** What `money` costs by the offer in the terms; false where no amount can say it. */
  protected setPrice(money: u64): bool {
    const terms = this.terms;
    const rate = terms.offer.rate;
    terms.money = money;
    terms.fee = feeFor(rate, money);
    terms.authorization = authorizationFor(rate, money);
    return terms.authorization != NO_AMOUNT;
  }

  /** True where the customer sells, and the merchant's module receives the money. */
  protected get isSale(): bool {
    return this.terms.offer.rate.direction == Direction.SELL;
  }

  /** The payment of the modules, about exactly the money of the terms. */
  protected newPayment(isPayer: bool): MoneyModulePayment {
    const terms = this.terms;
    const money = new MoneyTerms();
    money.amount = terms.money;
    money.unit = terms.offer.moneyUnit;
    const payment = new MoneyModulePayment(
      this.session,
      Manner.PAYMENT,
      isPayer,
      terms.payId,
      terms.transactionId,
      money,
    );
    this.payment = payment;
    return payment;
  }

  /** The payer announces the payment (526-532); 0 or the reason against it. */
  protected paymentAnnounced(body: CborReader): i32 {
    const announcement = readAnnouncement(body);
    return announcement === null ? Reason.MALFORMED : this.newPayment(false).accept(announcement);
  }

  /** Sends the peer a message of one encoded item: a ticket or something signed. */
  protected sendItem(type: i32, encoded: Bytes, awaitReply: bool): void {
    const writer = this.session.compose(type);
    writer.array(1);
    writer.rawFrom(encoded);
    this.session.send(awaitReply);
  }
}

/** The terms of an encoded offer that `merchant` made and that still holds; else null. */
export function offerOf(pointer: usize, length: i32, merchant: Certificate): OfferTerms | null {
  const offer = readOffer(pointer, length, merchant);
  if (offer === null || !bytesEqual(offer.merchant, merchant.id)) return null;
  return nowSeconds() > offer.expires ? null : offer;
}
