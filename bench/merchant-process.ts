/**
 * A merchant in a process of its own. Argument: `approves`, the smallest node:http server that answers the question, or `hangs`, which accepts
 * connections, reads nothing and never says a word. It verifies nothing and costs as little as can be, because on a real machine it is
 * somewhere else. Sends its port to the parent, ends when the parent lets go.
 */
import { createServer } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";

const approval = Buffer.from('{"code":0,"message":""}');

function approving() {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": approval.length });
      response.end(approval);
    });
  });
  // The platform keeps its connections for 4 s; ours must not close them first.
  server.keepAliveTimeout = 60_000;
  return server;
}

/**
 * By then the platform has broken the connection off, which nobody notices who does not read: a spare one is 8 s old at most when a question
 * takes it, and lasts for 1.8 s more.
 */
const forgottenAfterMs = 12_000;
const forgetEveryMs = 50;

function hanging() {
  const accepted: { readonly socket: Socket; readonly atMs: number }[] = [];
  setInterval(() => {
    const young = accepted.findIndex(({ atMs }) => performance.now() - atMs < forgottenAfterMs);
    for (const { socket } of accepted.splice(0, young === -1 ? accepted.length : young)) {
      socket.destroy();
    }
  }, forgetEveryMs);
  return createTcpServer({ pauseOnConnect: true }, (socket) => {
    socket.on("error", () => {});
    accepted.push({ socket, atMs: performance.now() });
  });
}

function main(behaviour: string): void {
  const server = behaviour === "hangs" ? hanging() : approving();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" && address !== null ? address.port : 0);
  });
  process.on("disconnect", () => process.exit(0));
}

if (import.meta.main) {
  main(process.argv[2] ?? "");
}
