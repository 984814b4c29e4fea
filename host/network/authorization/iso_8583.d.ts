// SPDX-License-Identifier: Apache-2.0
// The part of the package iso_8583 that the codec uses; the package brings no types of its own.
declare module "iso_8583" {
  /** How a field is written; `MaxLen` counts characters, for binary fields hexadecimal digits. */
  export interface FieldFormat {
    ContentType: "n" | "ans" | "b";
    Label: string;
    LenType: "fixed" | "llvar" | "lllvar";
    MaxLen: number;
  }
  export default class Iso8583 {
    constructor(message: Record<string, string>, formats: Record<string, FieldFormat>);
    /** The message without a length header, or what is wrong with it. */
    getRawMessage(): Buffer | { error: string };
    /** The fields of a message, key "0" its type, or what is wrong with it. */
    getIsoJSON(
      buffer: Buffer,
      options: { lenHeader: false },
    ): Record<string, string> | { error: string };
  }
}
