import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";

/**
 * A merchant's server in a process of its own, which goes on while this one is busy: it answers every request with code 0, and on
 * command resets or ends all its connections.
 */
export interface MerchantProcess {
  readonly port: number;
  counted(): Promise<{ readonly connections: number; readonly requests: number }>;
  /** Breaks all connections, and lets that reach this machine while this process looks at nothing. */
  breakConnections(how: "reset" | "end"): void;
  /** Runs in the turn of a received byte, so that what has come beside it is not looked at before. Costs one request. */
  whileReading<Value>(run: () => Promise<Value>): Promise<Value>;
  stop(): Promise<void>;
}

const source = `
const { createServer } = require("node:net");
const sockets = new Set();
let connections = 0;
let requests = 0;
const server = createServer((socket) => {
  connections += 1;
  sockets.add(socket);
  socket.on("error", () => {});
  socket.on("data", () => {
    requests += 1;
    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\n{"code":0}');
  });
});
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.on("message", (command) => {
  if (command === "count") {
    process.send({ connections, requests });
    return;
  }
  for (const socket of sockets) {
    if (command === "reset") socket.resetAndDestroy();
    else socket.destroy();
  }
  sockets.clear();
});`;

/** Many times what a signal to a process and its effect on a socket take on one machine. */
const blindMs = 100;

export async function startMerchantProcess(): Promise<MerchantProcess> {
  const child = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [port] = await once(child, "message");
  return {
    port,
    counted: async () => {
      child.send("count");
      const [counts] = await once(child, "message");
      return counts;
    },
    breakConnections: (how) => {
      child.send(how);
      const startedMs = performance.now();
      while (performance.now() - startedMs < blindMs);
    },
    whileReading: async <Value>(run: () => Promise<Value>) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      const running = Promise.withResolvers<Value>();
      socket.once("data", () => void run().then(running.resolve, running.reject));
      socket.write("x");
      return running.promise.finally(() => socket.destroy());
    },
    stop: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}
