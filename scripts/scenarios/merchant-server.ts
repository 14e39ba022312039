import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { splitCallbackBody, verifyV1 } from "@cardwright/signing";
import type { ServerAnswer, WireCallback, Witness } from "../../apps/server/src/sandbox/index.ts";

/** The server of a scenario's merchant: takes callbacks, checks their signatures, and answers as the script says. */
export interface MerchantServer {
  readonly callbackUrl: string;
  readonly witness: Witness;
  close(): Promise<void>;
}

interface State {
  readonly credential: { readonly appId: string; readonly apiSecret: string };
  readonly received: WireCallback[];
  readonly ids: Set<string>;
  readonly faults: string[];
  answer: ServerAnswer;
  takesPushes: boolean;
}

/** Longer than the 800 ms of a question and shorter than the second for which a late answer is still read. */
const lateMs = 1_200;
const bodyBytesMax = 65_536;

export async function startMerchantServer(credential: State["credential"]): Promise<MerchantServer> {
  const state: State = {
    credential,
    received: [],
    ids: new Set(),
    faults: [],
    answer: { kind: "yes" },
    takesPushes: true,
  };
  const server = createServer((request, response) => void take(state, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    callbackUrl: `http://127.0.0.1:${port}/callback`,
    witness: {
      callbacks: async () => state.received,
      seesQuestions: true,
      answerWith: (answer) => void (state.answer = answer),
      takePushes: (taken) => void (state.takesPushes = taken),
      faults: () => state.faults,
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function take(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const callback = body === null ? null : read(state, request, body);
  if (callback === null) {
    reply(response, { code: 1, message: "not a callback" });
    return;
  }
  if (callback.action === "Auth") {
    state.received.push(callback);
    await answerQuestion(state.answer, response);
    return;
  }
  if (!state.takesPushes) {
    reply(response, { code: 1, message: "not now" });
    return;
  }
  if (!state.ids.has(callback.id)) {
    // At least once means sometimes twice: a merchant knows a push again by its id.
    state.ids.add(callback.id);
    state.received.push(callback);
  }
  reply(response, { code: 0, message: "" });
}

/** Null when the connection broke or somebody sends too much. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of request) {
      bytes += Buffer.byteLength(piece);
      if (bytes > bodyBytesMax) return null;
      pieces.push(Buffer.from(piece));
    }
    return Buffer.concat(pieces).toString("utf8");
  } catch {
    return null;
  }
}

function read(state: State, request: IncomingMessage, text: string): (WireCallback & { readonly id: string }) | null {
  const body = splitCallbackBody(text);
  if (!body.ok) {
    state.faults.push(`a callback's body is ${body.reason}`);
    return null;
  }
  const { id, action, dataText } = body.value;
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === "string" ? value : undefined;
  };
  const verified = verifyV1({
    ...state.credential,
    timestamp: header("timestamp"),
    signature: header("signature"),
    dataText,
    nowMs: Date.now(),
  });
  if (!verified.ok) {
    state.faults.push(`a callback's signature: ${verified.reason}`);
    return null;
  }
  const data: unknown = JSON.parse(dataText);
  return typeof data === "object" && data !== null
    ? { id, action, data: Object.fromEntries(Object.entries(data)) }
    : null;
}

async function answerQuestion(answer: ServerAnswer, response: ServerResponse): Promise<void> {
  switch (answer.kind) {
    case "yes":
      return reply(response, { code: 0, message: "" });
    case "no":
      return reply(response, {
        code: 5100,
        message: "no",
        ...(answer.reason !== undefined && { reason: answer.reason }),
      });
    case "part":
      return reply(response, { code: 0, message: "", approved_amount: answer.approvedAmount });
    case "nonsense":
      response.end("yes, of course");
      return;
    case "late":
      await sleep(lateMs);
      return reply(response, { code: 0, message: "" });
    case "down":
      response.destroy();
      return;
    case "silent":
      return;
  }
}

function reply(response: ServerResponse, body: object): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}
