// SPDX-License-Identifier: Apache-2.0
// Preloaded into `florin up` (--import): every connection that the process opens to a port of this
// machine, WebSocket or card network, goes through the proxy at FLORIN_PROXY_PORT, which is told in
// a first line which port was meant. The program itself knows nothing of it.
import { Socket } from "node:net";

const proxyPort = Number(process.env.FLORIN_PROXY_PORT);
const connect = Socket.prototype.connect;

Socket.prototype.connect = function through(...given) {
  // net.connect hands its arguments over normalized: [ [ options, listener ] ].
  const [options] = Array.isArray(given[0]) ? given[0] : given;
  const port = Number(options?.port);
  if (!Number.isInteger(port) || port === 0) return connect.apply(this, given);
  const meant = port;
  options.port = proxyPort;
  options.host = "127.0.0.1";
  const socket = connect.apply(this, given);
  // The first bytes of the connection, whoever writes what before it is open.
  socket.write(`${meant}\n`);
  return socket;
};
