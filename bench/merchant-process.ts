/**
 * A merchant in a process of its own: the smallest node:http server that answers the question. It verifies nothing, because
 * what it costs is not measured. Argument: `approves` or `hangs`. Sends its port to the parent, ends when the parent lets go.
 */
import { createServer } from "node:http";

const approval = Buffer.from('{"code":0,"message":""}');

function main(behaviour: string): void {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      if (behaviour === "approves") {
        response.writeHead(200, { "Content-Type": "application/json", "Content-Length": approval.length });
        response.end(approval);
      }
    });
  });
  // The platform keeps its connections for 4 s; ours must not close them first.
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.(typeof address === "object" && address !== null ? address.port : 0);
  });
  process.on("disconnect", () => process.exit(0));
}

if (import.meta.main) {
  main(process.argv[2] ?? "");
}
