import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What the sandbox of a clone makes up once and finds again: its keys, tokens, and the credentials of its merchants. */
export interface SandboxSettings {
  readonly masterKeys: string;
  readonly adminToken: string;
  readonly networkToken: string;
  readonly sumsubAppToken: string;
  readonly sumsubSecret: string;
  readonly sumsubWebhookSecret: string;
  readonly merchants: readonly SandboxMerchant[];
}

/** A merchant of the sandbox with everything that its server needs. */
export interface SandboxMerchant {
  readonly merchantNo: string;
  readonly name: string;
  readonly mode: "CREDIT_EXTENSION" | "AUTHORIZATION";
  readonly appId: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Signs whole callbacks (Standard Webhooks). Absent in the settings of a clone that is older than these. */
  readonly webhookSecret?: string;
  /** A package_no in credit mode, a card_bin_no in authorization mode. */
  readonly productNo: string;
}

const token = () => randomBytes(24).toString("base64url");

function newSettings(): SandboxSettings {
  return {
    masterKeys: `sandbox:${randomBytes(32).toString("base64")}`,
    adminToken: `admin_${token()}`,
    networkToken: `network_${token()}`,
    sumsubAppToken: `sandbox_${token()}`,
    sumsubSecret: token(),
    sumsubWebhookSecret: token(),
    merchants: [],
  };
}

const fileOf = (directory: string) => join(directory, "sandbox.json");

/** Reads the settings of a clone, or makes them at the first start. The file holds secrets: only its owner may read it. */
export async function readSettings(directory: string): Promise<SandboxSettings> {
  let text: string;
  try {
    text = await readFile(fileOf(directory), "utf8");
  } catch {
    const settings = newSettings();
    await writeSettings(directory, settings);
    return settings;
  }
  return JSON.parse(text) as SandboxSettings;
}

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export async function writeSettings(directory: string, settings: SandboxSettings): Promise<void> {
  await mkdir(directory, { recursive: true });
  const temporary = `${fileOf(directory)}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, fileOf(directory));
}
