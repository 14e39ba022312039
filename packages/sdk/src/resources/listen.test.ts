import { createServer, type Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { type Endpoint, listening } from "../../test/servers.ts";
import { Cardwright, type CardwrightError, type ListenOptions, NotFoundError } from "../index.ts";

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.close());

/** A platform whose nth stream does what is said: it breaks, is refused (with 503, or for good), or brings a callback. */
type Stream = "breaks" | "starting" | "gone" | "callback";

function platform(streams: Stream[], answers: string[]): Server {
  return createServer((request, response) => {
    const url = request.url ?? "";
    const json = (status: number, body: object): void => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      if (url.includes("/answers/")) answers.push(Buffer.concat(pieces).toString("utf8"));
      if (!url.endsWith("/requests")) {
        json(url.endsWith("/listen") ? 201 : 200, { listen_id: "l1", callback_url: "", previous_callback_url: "" });
        return;
      }
      const stream = streams.shift();
      if (stream === "starting") json(503, { error: { code: "unavailable", message: "starting" } });
      else if (stream === "gone") json(404, { error: { code: "listen_unknown", message: "ended" } });
      else {
        response.writeHead(200, { "Content-Type": "application/x-ndjson" }).write("\n");
        if (stream === "breaks") setTimeout(() => request.socket.destroy(), 50);
        else response.write(`${JSON.stringify({ request_id: "r1", headers: {}, body: "{}" })}\n`);
      }
    });
  });
}

async function listenAt(streams: Stream[], options: Partial<ListenOptions>): Promise<readonly string[]> {
  const answers: string[] = [];
  endpoint = await listening(platform(streams, answers));
  const stop = new AbortController();
  await new Cardwright({ baseUrl: new URL(endpoint.url).origin, apiKey: "key", retriesMax: 0 }).sandbox.listen({
    signal: stop.signal,
    handle: () => {
      // When the answer has been handed in.
      setTimeout(() => stop.abort(), 200);
      return { status: 200, content_type: "text/plain", body: "yes" };
    },
    ...options,
  });
  return answers;
}

test("a stream that breaks is opened again, also by a platform that is still starting, and both are told once", async () => {
  const told: string[] = [];
  const answers = await listenAt(["breaks", "starting", "callback"], {
    onLost: ({ name }: CardwrightError) => told.push(`lost: ${name}`),
    onReopened: () => told.push("reopened"),
    onError: (error) => told.push(String(error)),
  });
  expect(told).toEqual(["lost: ConnectionError", "reopened"]);
  expect(answers).toEqual(['{"status":200,"content_type":"text/plain","body":"yes"}']);
});

test("a listening that the platform has given up is not opened again", async () => {
  await expect(listenAt(["breaks", "gone"], {})).rejects.toThrow(NotFoundError);
});
