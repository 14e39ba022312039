/**
 * The server of many merchants in a process of its own, as cheap as one can be: it reads and counts pushes and answers with code
 * 0. The path says what a request meets: `/BOOK/answers` is entered in a book and answered, `/BOOK/hangs` is never answered, and
 * `/bare` is answered and not entered. Signatures are not verified, because what that costs a merchant is not measured. Sends
 * its port to the parent, then one answer for each order; ends when the parent lets go.
 */
import { createServer, type Socket } from "node:net";
import { createPushBook, type PushBook, type PushPage } from "./push-book.ts";
import { createRequestReader, type PushRequest } from "./push-requests.ts";

export interface MerchantOrder {
  readonly kind: "page" | "delays";
  readonly book: string;
}

/** The answer to an order, or, without a book, the greeting. */
export interface MerchantReport {
  readonly port: number;
  readonly page: PushPage;
  readonly delays: readonly number[];
  /** Processor time of the merchant so far, milliseconds. */
  readonly cpuMs: number;
}

export function isMerchantReport(value: unknown): value is MerchantReport {
  return typeof value === "object" && value !== null && "page" in value && "port" in value && "cpuMs" in value;
}

const body = '{"code":0,"message":""}';
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);

function main(): void {
  const books = new Map<string, PushBook>();
  const bookOf = (name: string): PushBook => {
    const known = books.get(name) ?? createPushBook();
    books.set(name, known);
    return known;
  };
  const receive = (socket: Socket, request: PushRequest): void => {
    const [, book = "", behaviour = ""] = request.path.split("/");
    if (behaviour === "hangs") {
      return;
    }
    if (behaviour === "answers") {
      bookOf(book).enter({ ...request, atMs: performance.timeOrigin + performance.now() });
    }
    socket.write(answer);
  };
  const server = createServer({ noDelay: true }, (socket) => {
    // A caller that stops waiting resets its connection; that is its right.
    socket.on("error", () => {});
    socket.on(
      "data",
      createRequestReader((request) => receive(socket, request)),
    );
  });
  const report = (order: MerchantOrder | null, port: number): MerchantReport => {
    const book = order === null ? createPushBook() : bookOf(order.book);
    const { user, system } = process.cpuUsage();
    const delays = order?.kind === "delays" ? book.takeDelays() : [];
    return { port, page: book.page(), delays, cpuMs: (user + system) / 1000 };
  };
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    process.on("message", (order: MerchantOrder) => process.send?.(report(order, port)));
    process.send?.(report(null, port));
  });
  process.on("disconnect", () => process.exit(0));
}

if (import.meta.main) {
  main();
}
