import { createServer, type Socket } from "node:net";

/** A server that speaks just enough of Postgres' protocol (version 3) to let anyone in and to say which version it is. */
export interface OldPostgres {
  readonly url: string;
  close(): Promise<void>;
}

/** One message: its letter, its length with the length's own 4 bytes, its content. */
function message(letter: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter, "latin1");
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

const text = (...parts: string[]) => Buffer.from(parts.map((part) => `${part}\0`).join(""), "utf8");
const int16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const ready = message("Z", Buffer.from("I"));
const textOid = 25;

function welcome(version: string): Buffer {
  return Buffer.concat([
    message("R", int32(0)),
    message("S", text("server_version", version)),
    message("K", Buffer.concat([int32(1), int32(1)])),
    ready,
  ]);
}

/** One row with one column, whatever was asked. */
function row(value: string): Buffer {
  const column = Buffer.concat([text("version"), int32(0), int16(0), int32(textOid), int16(-1), int32(-1), int16(0)]);
  const cell = Buffer.from(value, "utf8");
  return Buffer.concat([
    message("T", Buffer.concat([int16(1), column])),
    message("D", Buffer.concat([int16(1), int32(cell.length), cell])),
    message("C", text("SELECT 1")),
    ready,
  ]);
}

/** `major` 13 says it is 13.4, by name and by number. */
export async function startOldPostgres(major: number): Promise<OldPostgres> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    let greeted = false;
    socket.on("data", (bytes) => {
      if (!greeted) {
        greeted = true;
        socket.write(welcome(`${major}.4`));
      } else if (bytes.toString("latin1", 0, 1) === "Q") {
        socket.write(row(String(major * 10_000 + 4)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `postgresql://someone:correct-horse@127.0.0.1:${port}/cards`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
