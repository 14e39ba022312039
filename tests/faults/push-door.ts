import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { splitCallbackBody, verifyStandard, verifyV1 } from "@cardwright/signing";
import type { Choices } from "./random.ts";

/** How a merchant takes its pushes; see `manners`. */
export type Manner = "steady" | "failing" | "slow";

export interface PushArrival {
  readonly merchant: number;
  readonly id: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly action: string;
  readonly dataText: string;
  /** The number of the good answers that had been given before about this card, one for each push: what may come now. */
  readonly goodBefore: number;
  /** By V1 and by Standard Webhooks. */
  readonly signaturesAreRight: boolean;
}

export interface PushDoor {
  /** Where the merchant with this place in the list receives. */
  urlOf(place: number): string;
  /** In the order in which they came. */
  readonly arrivals: readonly PushArrival[];
  close(): Promise<void>;
}

export interface DoorMerchant {
  readonly manner: Manner;
  readonly appId: string;
  readonly apiSecret: string;
  readonly webhookSecret: string;
}

/** Of a hundred first arrivals at a failing merchant, and how long a slow one takes. */
const failuresPercent = 4;
const slowMsMin = 100;
const slowMsMax = 350;
/** Of a thousand first arrivals at a slow merchant: later than the 5 s that a try lasts, so that the platform sends them again. */
const tooLatePerMille = 4;
const tooLateMs = 6_000;
/** The machine is busy with other tests: a push may be a while on its way. */
const toleranceMs = 600_000;
/** Far beyond what a proof makes. */
const arrivalsMax = 1_000_000;

const good = '{"code":0,"message":""}';

/**
 * The server of several merchants, one path for each, that verifies and writes down every push before it answers. A failing
 * merchant refuses some of them in all the ways there are, a slow one takes its time; each does so only at the first arrival of
 * a push, so that no card is held up for longer than its patience of ten minutes.
 */
export async function openPushDoor(
  merchants: readonly DoorMerchant[],
  options: { readonly choices: Choices; readonly tooLate: boolean },
): Promise<PushDoor> {
  const arrivals: PushArrival[] = [];
  const seen = new Set<string>();
  const answeredGood = new Map<string, Set<number>>();
  const receive = async (request: IncomingMessage, text: string, response: ServerResponse): Promise<void> => {
    const place = Number(request.url?.split("/")[1]);
    const merchant = merchants[place];
    const push = merchant === undefined ? null : readPush(request, { text, merchant });
    if (merchant === undefined || push === null || arrivals.length >= arrivalsMax) {
      response.writeHead(400).end();
      return;
    }
    const line = `${place} ${push.cardNo}`;
    const goods = answeredGood.get(line) ?? new Set<number>();
    answeredGood.set(line, goods);
    const isFirst = !seen.has(push.id);
    seen.add(push.id);
    arrivals.push({ ...push, merchant: place, goodBefore: goods.size });
    const isGood = await answer(response, { manner: isFirst ? merchant.manner : "steady", options });
    if (isGood) goods.add(push.sequence);
  };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => void receive(request, Buffer.concat(pieces).toString("utf8"), response));
  });
  // Longer than any caller keeps idle connections.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    urlOf: (place) => `http://127.0.0.1:${port}/${place}`,
    arrivals,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type ReadPush = Omit<PushArrival, "merchant" | "goodBefore"> & { readonly cardNo: string };

function readPush(
  { headers }: IncomingMessage,
  { text, merchant }: { readonly text: string; readonly merchant: DoorMerchant },
): ReadPush | null {
  const split = splitCallbackBody(text);
  if (!split.ok) return null;
  const { id, action, dataText } = split.value;
  const { appId, apiSecret, webhookSecret } = merchant;
  const common = { nowMs: Date.now(), toleranceMs };
  const [timestamp, signature] = [headerOf(headers["timestamp"]), headerOf(headers["signature"])];
  const v1 = verifyV1({ ...common, appId, apiSecret, timestamp, signature, dataText });
  const standard = verifyStandard({
    ...common,
    id: headerOf(headers["webhook-id"]),
    timestamp: headerOf(headers["webhook-timestamp"]),
    signatureHeader: headerOf(headers["webhook-signature"]),
    body: text,
    secrets: [webhookSecret],
  });
  return {
    id,
    action,
    dataText,
    cardNo: /"card_no":"([^"]*)"/u.exec(dataText)?.[1] ?? "",
    sequence: Number(headerOf(headers["sequence"])),
    attempt: Number(headerOf(headers["attempt"])),
    signaturesAreRight: v1.ok && standard.ok,
  };
}

const headerOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

/** Answers as the merchant does; whether the answer was a good one. */
async function answer(
  response: ServerResponse,
  {
    manner,
    options: { choices, tooLate },
  }: { readonly manner: Manner; readonly options: { readonly choices: Choices; readonly tooLate: boolean } },
): Promise<boolean> {
  if (manner === "failing" && choices.percent(failuresPercent)) {
    refuse(response, choices);
    return false;
  }
  if (manner === "slow") {
    const isTooLate = tooLate && choices.whole(1, 1_000) <= tooLatePerMille;
    await sleep(isTooLate ? tooLateMs : choices.whole(slowMsMin, slowMsMax));
  }
  response.writeHead(200, { "Content-Type": "application/json" }).end(good);
  return true;
}

/** The ways in which a merchant's server fails after it has read a push. */
function refuse(response: ServerResponse, choices: Choices): void {
  const ways = [
    () => response.writeHead(500).end(),
    () => response.end('{"code":5100,"message":"no"}'),
    () => response.end("it worked"),
    () => response.destroy(),
    () => {
      response.writeHead(200, { "Content-Length": good.length });
      response.write(good.slice(0, 5), () => response.destroy());
    },
  ] as const;
  choices.of(ways)();
}
