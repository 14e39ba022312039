import { signV1 } from "@cardwright/signing";
import Fastify from "fastify";
import { Pool as HttpPool } from "undici";
import type { AuthorizationAnswer, AuthorizationRequest } from "../apps/server/src/authorization/index.ts";
import { authorizationsPath, buildNetworkFront } from "../apps/server/src/network/index.ts";
import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import { apiSecret, appId } from "./callbacks-room.ts";
import { checkLedger } from "./ledger-check.ts";
import { isNetworkReport, type NetworkCommand, type NetworkReport } from "./network-process.ts";
import { openLoop } from "./open-loop.ts";
import { openPlatformPool, startBenchServer } from "./postgres.ts";
import { type Helper, startHelper, startMerchantProcess } from "./processes.ts";
import { createQuestions } from "./questions.ts";
import { closedLoop, interleave, medianRate, type Slice } from "./slices.ts";
import { buildDatabase, openStand, type Stand } from "./stand.ts";
import { latenciesOf, rounded } from "./statistics.ts";

const inFlight = 64;
const bar = 0.35;
const openRate = 300;
/** Milliseconds of p99 that the platform may add to the bare call. */
const addedBar = 15;
const merchants = 20;
const cardsDefault = 10_000;
const diskBytesMin = 4e9;
const token = "network-token-of-the-benchmark";
const answerTimeoutMs = 30_000;
const sampleConsumeNo = "O202611221HX8M0Z7B706835D";
/** Of the time: each half of the open loop, warming up, and what is measured for comparison. */
const openShare = 0.15;
const warmUpShare = 0.1;
const besideShare = 0.15;
const sliceSecondsMax = 1;

export const ask: Benchmark = {
  name: "ask",
  summary:
    "authorization mode end to end, from the network's front to the merchant's answer, against the bare HTTP call",
  seconds: 60,
  run: async (options) => {
    const stack = new AsyncDisposableStack();
    try {
      return [await measure(await openEverything(stack, options), options)];
    } finally {
      await stack.disposeAsync();
    }
  },
};

interface Parts {
  readonly stand: Stand;
  readonly network: Helper<NetworkReport>;
  readonly front: Front;
  readonly bare: BareCalls;
  readonly place: "disk" | "tmpfs";
}

interface Front {
  readonly origin: string;
  /** Without the engine the front puts the signed question and approves; nothing is decided or written. */
  useEngine(use: boolean): void;
  close(): Promise<void>;
}

/** Postgres, a merchant's process, the platform's front in this one, the network's process: the last one is ended first. */
async function openEverything(stack: AsyncDisposableStack, options: BenchOptions): Promise<Parts> {
  const { progress, rows } = options;
  const server = await startBenchServer({ place: options.place, bytesMin: diskBytesMin });
  stack.defer(() => server.stop());
  const cards = rows === null ? cardsDefault : Math.ceil(rows / 10);
  const size = { merchants, cards, consumptions: cards * 10 };
  const url = await buildDatabase(server, {
    name: "ask",
    mode: "AUTHORIZATION",
    ...size,
    onStep: progress.say,
    measuredSeconds: options.seconds,
  });
  const merchant = await startMerchantProcess("approves");
  stack.defer(() => merchant.stop());
  const questionPool = openPlatformPool(url, 2);
  stack.defer(() => questionPool.end());
  const { callbacks, questionPort } = createQuestions(questionPool, { urlOf: () => merchant.url });
  stack.defer(() => callbacks.stop());
  const stand = await openStand({ url, questionPort });
  stack.defer(() => stand.close());
  const bare = openBareCalls(merchant.url);
  stack.defer(() => bare.close());
  const front = await openFront(stand, bare);
  stack.defer(() => front.close());
  const network = startHelper("network-process.ts", {
    words: [url, `${front.origin}${authorizationsPath}`, token],
    isMessage: isNetworkReport,
  });
  stack.defer(() => network.stop());
  await network.next(answerTimeoutMs);
  return { stand, network, front, bare, place: server.place };
}

async function openFront(stand: Stand, bare: BareCalls): Promise<Front> {
  const http = Fastify({ logger: false });
  let withEngine = true;
  const decide = async (request: AuthorizationRequest): Promise<AuthorizationAnswer> => {
    const answer = await stand.engine.authorization.authorize(request);
    stand.approved += answer.approved ? 1 : 0;
    return answer;
  };
  const askOnly = async (): Promise<AuthorizationAnswer> => {
    await bare.onceSigned();
    return { approved: true, consumeNo: sampleConsumeNo, partialAmount: null, balance: null, repeat: false };
  };
  await http.register(
    buildNetworkFront({
      authorize: (request) => (withEngine ? decide(request) : askOnly()),
      networkToken: token,
      availability: () => "open",
      onError: () => {},
    }),
  );
  await http.listen({ port: 0, host: "127.0.0.1" });
  return {
    origin: http.listeningOrigin,
    useEngine: (use) => {
      withEngine = use;
    },
    close: () => http.close(),
  };
}

async function measure(parts: Parts, options: BenchOptions): Promise<BenchResult> {
  const { stand, network, front, bare, place } = parts;
  const { seconds, signal, progress } = options;
  const order = (command: NetworkCommand): Promise<NetworkReport> => {
    network.child.send(command);
    return network.next(command.seconds * 1000 + answerTimeoutMs);
  };
  const latencies: number[] = [];
  const failures = new Set<string>();
  const noted = (report: NetworkReport): NetworkReport => {
    report.failures.forEach((failure) => failures.add(failure));
    return report;
  };
  progress.say("ask: warming up");
  noted(await order({ kind: "closed", inFlight, seconds: seconds * warmUpShare }));
  const measuredSeconds = seconds * (1 - warmUpShare - 2 * openShare - besideShare);
  const slice = Math.min(sliceSecondsMax, measuredSeconds / 4);
  const purchases = async (): Promise<NetworkReport> =>
    noted(await order({ kind: "closed", inFlight, seconds: slice }));
  const calls = (once: () => Promise<void>): Promise<Slice> => closedLoop({ inFlight, seconds: slice, once, signal });
  const roundsOf = (lasting: number): number => Math.max(2, Math.floor(lasting / (slice * 2)));
  const measured = await interleave({
    rounds: roundsOf(measuredSeconds),
    ours: async (): Promise<Slice> => {
      const report = await purchases();
      latencies.push(...report.latencies);
      return report;
    },
    baseline: () => calls(bare.once),
    signal,
    onRound: (so) =>
      progress.say(`ask: ${Math.round(medianRate(so.ours))}/s, bare ${Math.round(medianRate(so.baseline))}/s`),
  });
  progress.say("ask: without the engine, and calls signed one by one");
  front.useEngine(false);
  const beside = await interleave({
    rounds: roundsOf(seconds * besideShare),
    ours: purchases,
    baseline: () => calls(bare.onceSigned),
    signal,
  });
  front.useEngine(true);
  progress.say(`ask: open loop at ${openRate}/s`);
  const bareOpen = await openLoop(
    { rate: openRate, seconds: seconds * openShare, seed: 7 },
    { once: bare.once, signal },
  );
  const open = noted(await order({ kind: "open", rate: openRate, seconds: seconds * openShare }));
  progress.say("ask: verifying the ledger");
  const ledger = await checkLedger(stand);
  const [value, baseline] = [medianRate(measured.ours), medianRate(measured.baseline)];
  const withoutEngine = medianRate(beside.ours);
  const [added, addedTo] = [latenciesOf(open.latencies), latenciesOf(bareOpen.latencies)];
  const addedP99 = rounded(added.p99_ms - addedTo.p99_ms);
  const good = ledger.ok && failures.size === 0 && stand.engine.errors.length === 0;
  return {
    bench: "ask",
    ok: value / baseline >= bar && addedP99 <= addedBar && good,
    value: Math.round(value),
    baseline: Math.round(baseline),
    ratio: rounded(value / baseline),
    bar,
    unit: "purchases/s",
    p50_ms: latenciesOf(latencies).p50_ms,
    p99_ms: latenciesOf(latencies).p99_ms,
    details: {
      data_on: place,
      without_engine_per_s: Math.round(withoutEngine),
      without_engine_ratio: rounded(withoutEngine / baseline),
      bare_with_signing_per_s: Math.round(medianRate(beside.baseline)),
      added_p99_ms: addedP99,
      added_bar_ms: addedBar,
      open_loop: { rate: openRate, ...added },
      open_loop_bare: { ...addedTo },
      ledger: { ...ledger },
      failures: [...failures],
      errors: stand.engine.errors,
    },
  };
}

interface SignedQuestion {
  readonly headers: Record<string, string>;
  readonly body: string;
}

function signedQuestion(): SignedQuestion {
  const timestamp = String(Date.now());
  const dataText = `{"consume_no":"${sampleConsumeNo}","card_no":"C2026092821J7W017D67D8AB4","cardholder_no":"U2026092821J7W017D67D8AB4","type":"Consumption","amount":25.81,"local_amount":25.81,"local_currency":"USD","merchant_info":{"country":"SG","merchant_mcc":"5411","city":"Singapore","merchant_name":"Corner Shop"},"status":"Pending","time":${timestamp}}`;
  const headers = {
    "content-type": "application/json",
    timestamp,
    signature: signV1({ appId, apiSecret, timestamp, dataText }),
    "sign-version": "V1",
    timezone: "UTC+8",
    "deadline-ms": "800",
  };
  return { headers, body: `{"id":"019a0000-0000-7000-8000-000000000000","action":"Auth","data":${dataText}}` };
}

interface BareCalls {
  readonly once: () => Promise<void>;
  readonly onceSigned: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The same call without the platform: with one signature for all of them, or each signed as every question must be. */
function openBareCalls(merchantUrl: string): BareCalls {
  const url = new URL(merchantUrl);
  const pool = new HttpPool(url.origin, { connections: inFlight, pipelining: 1 });
  const call = async (question: SignedQuestion): Promise<void> => {
    const answer = await pool.request({ path: url.pathname, method: "POST", ...question });
    await answer.body.text();
  };
  const signedOnce = signedQuestion();
  return {
    once: () => call(signedOnce),
    onceSigned: () => call(signedQuestion()),
    close: () => pool.close(),
  };
}
