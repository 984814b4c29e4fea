// SPDX-License-Identifier: Apache-2.0
// A serial port as a transport, through the package serialport. None of its parsers is used: they
// have no length limit, and frames are found by frame.ts.
import { SerialPort } from "serialport";
import type { ByteTransport } from "./transport.ts";

export const DEFAULT_BAUD_RATE = 115200;

/**
 * Opens the serial port at `path`, 8 data bits, no parity, one stop bit. Rejects if it cannot.
 * Opening may reset the board (ESP32 boards wire DTR and RTS to reset): the link waits for SYNC.
 */
export function openSerialTransport(
  path: string,
  baudRate: number = DEFAULT_BAUD_RATE,
): Promise<ByteTransport> {
  return new Promise((resolve, reject) => {
    // Without `hupcl: false` the lines would drop when the port is closed, another reset.
    const port = new SerialPort({ path, baudRate, autoOpen: false, hupcl: false });
    port.open((error) => {
      if (error) {
        reject(new Error(`Cannot open the serial port ${path}: ${error.message}`));
      } else resolve(transportOf(port));
    });
  });
}

function transportOf(port: SerialPort): ByteTransport {
  let closed: (reason: string) => void = () => {};
  let endReason: string | null = null;
  const end = (reason: string): void => {
    if (endReason !== null) return;
    endReason = reason;
    closed(reason);
  };
  port.on("error", (error: Error) => {
    end(error.message);
    if (port.isOpen) port.close();
  });
  port.on("close", () => end("the serial port was closed"));
  return {
    write: (bytes) => {
      // serialport keeps what it is given until it is written: hand it a copy.
      if (endReason === null) port.write(Buffer.from(bytes));
    },
    onBytes: (receive) => {
      port.on("data", (bytes: Buffer) => receive(new Uint8Array(bytes)));
    },
    onClose: (listener) => {
      closed = listener;
      // The port may have gone between its opening and now.
      if (endReason !== null) listener(endReason);
    },
    close: () => {
      end("closed");
      if (port.isOpen) port.close();
    },
  };
}
