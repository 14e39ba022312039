import { expect, test } from "vitest";
import { createRequestReader, type PushRequest } from "./push-requests.ts";

function post(sequence: number): string {
  const body = `{"id":"x","action":"Consumption","data":{"card_no":"C${sequence}","remark":"café","due_at":${sequence}00}}`;
  return `POST /slow/1 HTTP/1.1\r\nhost: x\r\nSequence: ${sequence}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

test("requests are read the same however their bytes are cut", () => {
  const bytes = Buffer.from(post(1) + post(2) + post(3));
  const wanted = [1, 2, 3].map((n) => ({ path: "/slow/1", cardNo: `C${n}`, sequence: n, dueAtMs: n * 100 }));
  for (const size of [1, 7, 100, bytes.length]) {
    const requests: PushRequest[] = [];
    const read = createRequestReader((request) => requests.push(request));
    for (let from = 0; from < bytes.length; from += size) {
      read(bytes.subarray(from, from + size));
    }
    expect(requests).toEqual(wanted);
  }
});
