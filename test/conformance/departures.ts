// SPDX-License-Identifier: Apache-2.0
// Where Florin does a step of 1995 at another place or in another form, and why. All of them are
// still done, marked and seen.

export interface Departure {
  figure: string;
  steps: string;
  what: string;
}

export const DEPARTURES: Departure[] = [
  {
    figure: "7",
    steps: "786-790",
    what:
      "The receipt is in the journal, provisional, before the acknowledgement leaves; the " +
      "acknowledgement carries the customer's signed mandate (protocol rule 6).",
  },
  {
    figure: "8, 14",
    steps: "344, 1534",
    what:
      "The session key is made once M3 is sealed (346, 1536): it also binds the bytes of M3 and a " +
      "one-time Diffie-Hellman (protocol rule 2).",
  },
  {
    figure: "14",
    steps: "1506, 1510-1512",
    what:
      "B's certificate travels inside the sealed message, not beside it: outside it could be " +
      "exchanged for another's (W1 of the security page).",
  },
  {
    figure: "12",
    steps: "532, 542",
    what: "B's module is ordered to receive before R(2) leaves, to be there when A's speaks.",
  },
  {
    figure: "12",
    steps: "552, 554",
    what:
      "R(2) is sent before B's module takes key (TA/MM) into use: the way there is still that of " +
      "Fig. 15.",
  },
  {
    figure: "12",
    steps: "634",
    what:
      "The receipt is signed once, by the merchant's agent. What became of the payment is in an " +
      "annex, signed by the customer's agent, countersigned by the merchant's (protocol rule 5).",
  },
  {
    figure: "18",
    steps: "1732-1738",
    what:
      "After Ready-to-Commit nothing is rolled back: the payment is in doubt until the payer's " +
      "module says how it ended. One notice to the owner says both, that it did not end and that " +
      "its money may yet come (protocol rule 4.3).",
  },
  {
    figure: "18",
    steps: "1740, 1756",
    what:
      "A generator is neither a transaction nor a teller money module, so the figure has no " +
      "step for it there; its bank hears of the end as any own side does (protocol rule 4).",
  },
  {
    figure: "18",
    steps: "1746-1748",
    what:
      "The notice to the other module leaves before the own side is told: an agent that hears of " +
      "the end closes the session in which the notice travels.",
  },
  {
    figure: "20",
    steps: "1608",
    what:
      "The directory takes the notes up when they are owned, at the commit (1718). Till then they " +
      "are stored but can neither be spent nor counted (protocol rule 4.1).",
  },
  {
    figure: "21",
    steps: "1706-1710",
    what:
      "The payer's commit is durable before the acknowledgement leaves: power lost in between " +
      "would otherwise duplicate the money (protocol rule 4.2).",
  },
  {
    figure: "21",
    steps: "1716",
    what:
      "The payer's session is over, but can be reached for the payee's signed `done` or a repeated " +
      "question (protocol rule 4.6).",
  },
];
