import { createConnection, createServer, type Socket } from "node:net";

/** A wire between the platform and its database that can be cut. */
export interface Wire {
  /** The database's URL through the wire. */
  readonly url: string;
  /** How many connections were cut with an answer of the database in them. */
  cuts(): number;
  /** The next answer on some connection is lost, and the connection with it. What was asked may have been done. */
  loseNextAnswer(): void;
  close(): Promise<void>;
}

/** Shorter answers say only that a statement was understood, or are the greeting of a new connection. */
const answerBytesMin = 60;

export async function openWire(databaseUrl: string): Promise<Wire> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let armed = 0;
  let cuts = 0;
  const server = createServer((near) => {
    const far = createConnection({ host: target.hostname, port: Number(target.port), noDelay: true });
    near.setNoDelay(true);
    let asked: Buffer = Buffer.alloc(0);
    near.on("data", (bytes: Buffer) => {
      asked = bytes;
      far.write(bytes);
    });
    far.on("data", (bytes) => {
      // A named statement is executed by its name: what matters here is that money was to be moved.
      if (armed > 0 && bytes.length >= answerBytesMin && asked.includes("authorization_")) {
        armed -= 1;
        cuts += 1;
        near.destroy();
        far.destroy();
        return;
      }
      near.write(bytes);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(typeof address === "object" && address !== null ? address.port : 0);
  return {
    url: url.href,
    cuts: () => cuts,
    loseNextAnswer: () => {
      armed += 1;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
