import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { verifyAudit } from "../../apps/server/src/audit/index.ts";
import { clearingRules } from "../../apps/server/src/clearing/index.ts";
import { readConfig } from "../../apps/server/src/config.ts";
import { consumptionRules } from "../../apps/server/src/consumptions/index.ts";
import { createPool } from "../../apps/server/src/database/index.ts";
import { verifyLedger } from "../../apps/server/src/ledger/index.ts";
import { statementRules } from "../../apps/server/src/merchants/index.ts";
import { type Platform, startPlatform } from "../../apps/server/src/platform.ts";
import {
  type Office,
  type Played,
  playScenario,
  type Scenario,
  type ScenarioMode,
  type Told,
  type Wire,
} from "../../apps/server/src/sandbox/index.ts";
import { type MerchantServer, startMerchantServer } from "./merchant-server.ts";
import { createPostingReader } from "./postings.ts";

/** One scenario in one mode. */
export interface Part {
  readonly scenario: Scenario;
  readonly mode: ScenarioMode;
}

/** A platform on a database of its own, so with a clock of its own, on which scenarios are played. */
export interface Lane {
  /** Plays a scenario on a merchant made for it, then verifies the whole database. */
  play(part: Part, tell?: Listener): Promise<Played>;
  stop(): Promise<void>;
}

/** Reads along: each step, each call, each callback, and every posting that a step has made. */
export type Listener = (told: Told | { readonly kind: "posting"; readonly text: string }) => void;

const secret = (): string => randomBytes(24).toString("base64url");

/** The operator's people, each with a token of their own: what one asks for, the other approves. */
const office = (): Office => ({
  tokens: { mia: `mia_${secret()}`, jon: `jon_${secret()}` },
  networkToken: `network_${secret()}`,
});

export async function openLane(options: { readonly databaseUrl: string; readonly log: Logger }): Promise<Lane> {
  const people = office();
  const config = readConfig({
    CARDWRIGHT_ENV: "sandbox",
    CARDWRIGHT_ROLE: "all",
    DATABASE_URL: options.databaseUrl,
    DATABASE_POOL: "8",
    API_PORT: "0",
    NETWORK_PORT: "0",
    OPERATIONS_PORT: "0",
    KYC_SIMULATOR_PORT: "0",
    VAULT_MASTER_KEYS: `scenarios:${randomBytes(32).toString("base64")}`,
    ADMIN_TOKEN: `admin_${secret()}`,
    OPERATORS: Object.entries(people.tokens)
      .map(([name, token]) => `${name}:${token}`)
      .join(","),
    NETWORK_TOKEN: people.networkToken,
    SUMSUB_APP_TOKEN: `sandbox_${secret()}`,
    SUMSUB_SECRET: secret(),
    SUMSUB_WEBHOOK_SECRET: secret(),
  });
  const start = (): Promise<Platform> => startPlatform({ config, log: options.log });
  let platform = await start();
  const wire: Wire = async ({ method, path, headers, body }) => {
    const response = await fetch(`${platform.urls.api ?? ""}${path}`, {
      method,
      headers: { ...headers, ...(typeof body === "object" && { "Content-Type": "application/json" }) },
      body: typeof body === "object" ? JSON.stringify(body) : (body ?? null),
      signal: AbortSignal.timeout(callMsMax),
    });
    const { status } = response;
    if (response.headers.get("content-type")?.includes("json") !== true) {
      return { status, json: {}, text: await response.text() };
    }
    const json: unknown = await response.json();
    return {
      status,
      json: typeof json === "object" && json !== null ? Object.fromEntries(Object.entries(json)) : {},
    };
  };
  const pool = createPool({
    url: options.databaseUrl,
    role: "cardwright_app",
    max: 2,
    applicationName: "cardwright scenarios",
    statementTimeoutMs: 60_000,
  });
  const restart = async (): Promise<void> => {
    await platform.stop();
    platform = await start();
  };
  let plays = 0;
  /** Kept to the end: what the platform still has to tell them must not become retries that every later move of the clock plays. */
  const servers: MerchantServer[] = [];
  /** A closed merchant's cards owe no management fees any more, which otherwise add up from play to play. */
  const leave = (merchantNo: string) =>
    operate(wire, config.ADMIN_TOKEN, {
      method: "PATCH",
      path: `/operator/v1/merchants/${merchantNo}`,
      body: { status: "Closed" },
    });
  const playOnce = async ({ scenario, mode }: Part, tell: Listener | undefined): Promise<Played> => {
    plays += 1;
    const account = await enrol(wire, { adminToken: config.ADMIN_TOKEN, mode, name: `Scenario ${scenario.name}` });
    const server = await startMerchantServer(account);
    servers.push(server);
    try {
      await operate(wire, config.ADMIN_TOKEN, {
        method: "PATCH",
        path: `/operator/v1/merchants/${account.merchantNo}`,
        body: { callback_url: server.callbackUrl },
      });
      const postings = tell === undefined ? null : await createPostingReader(pool, account.merchantNo);
      const played = await playScenario({
        scenario,
        merchant: { ...account, mode },
        wire,
        adminToken: config.ADMIN_TOKEN,
        office: people,
        witness: server.witness,
        runId: `scn${plays}-${randomBytes(4).toString("hex")}`,
        restart,
        tell: async (told) => {
          tell?.(told);
          if (told.kind !== "call")
            for (const text of (await postings?.news()) ?? []) tell?.({ kind: "posting", text });
        },
      });
      const startedAt = performance.now();
      const broken = await verify(pool);
      const ms = played.ms + Math.round(performance.now() - startedAt);
      return { ok: played.ok && broken.length === 0, ms, differences: [...played.differences, ...broken] };
    } finally {
      await leave(account.merchantNo);
    }
  };
  return {
    play: async (part, tell) => {
      let played = await playOnce(part, tell);
      for (let tries = 1; tries < triesMax && wasTooSlow(part.scenario, played); tries += 1) {
        played = await playOnce(part, tell);
      }
      return played;
    },
    stop: async () => {
      await platform.stop();
      await Promise.all(servers.map((server) => server.close()));
      await pool.end();
    },
  };
}

/**
 * The contract gives a merchant's server 800 ms of real time, and here it shares a machine with everything else. A scenario whose
 * server answers at once and was too late all the same says something about the machine, so it is played again, on a new merchant.
 */
const triesMax = 3;

function wasTooSlow({ steps }: Scenario, { differences }: Played): boolean {
  const isScripted = steps.some(({ server }) => server?.answers === "late" || server?.answers === "silent");
  return !isScripted && differences.some((difference) => difference.includes("merchant_timeout"));
}

/** No call of a scenario waits for anything that takes as long. */
const callMsMax = 30_000;

async function verify(pool: ReturnType<typeof createPool>): Promise<readonly string[]> {
  const ledger = await verifyLedger(pool, {
    extraRules: [...consumptionRules, ...clearingRules, ...statementRules],
    onProgress: () => undefined,
  });
  const audit = await verifyAudit(pool);
  return [
    ...ledger.broken.map(({ rule, rows }) => `verify: ${rule}: ${rows.slice(0, 3).join("; ")}`),
    ...(audit.ok ? [] : ["verify: the audit's hash chain is broken"]),
  ];
}

interface Account {
  readonly merchantNo: string;
  readonly appId: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

async function operate(
  wire: Wire,
  adminToken: string,
  request: { readonly method: "POST" | "PATCH"; readonly path: string; readonly body: object },
): Promise<(field: string) => string> {
  const { status, json } = await wire({ ...request, headers: { Authorization: `Bearer ${adminToken}` } });
  if (status >= 300) throw new Error(`${request.path} answered ${status} ${JSON.stringify(json)}`);
  return (field) => {
    const value = json[field];
    return typeof value === "string" ? value : "";
  };
}

async function enrol(
  wire: Wire,
  wanted: { readonly adminToken: string; readonly mode: ScenarioMode; readonly name: string },
): Promise<Account> {
  const mode = wanted.mode === "credit" ? "CREDIT_EXTENSION" : "AUTHORIZATION";
  const merchant = await operate(wire, wanted.adminToken, {
    method: "POST",
    path: "/operator/v1/merchants",
    body: { name: wanted.name, mode },
  });
  const merchantNo = merchant("merchant_no");
  const credential = await operate(wire, wanted.adminToken, {
    method: "POST",
    path: `/operator/v1/merchants/${merchantNo}/credentials`,
    body: { label: "scenario", allow_list: ["127.0.0.1", "::1"] },
  });
  return {
    merchantNo,
    appId: merchant("app_id"),
    apiKey: credential("api_key"),
    apiSecret: credential("api_secret"),
  };
}
