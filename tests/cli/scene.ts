import { createProgramme, enrolMerchant, type OperatorDesk } from "../../scripts/sandbox/enrol.ts";
import type { SandboxMerchant } from "../../scripts/sandbox/settings.ts";
import { createTestDatabase } from "../support/database.ts";
import { endAll, newSecrets, type PlatformProcess, portOf, runPlatform } from "../support/processes.ts";

/** One platform, as a process, with a merchant of each mode. `platform` is the one that runs now. */
export interface Scene {
  readonly platform: PlatformProcess;
  readonly desk: OperatorDesk;
  readonly credit: SandboxMerchant;
  readonly authorization: SandboxMerchant;
  /** Kills the process as a crash would, and starts another one at the same addresses. */
  restart(): Promise<void>;
  /** What a listener has for coming back before its merchant's URL is put back, in milliseconds more. */
  waitLonger(merchantNo: string, ms: number): Promise<void>;
  close(): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const db = await createTestDatabase();
  const secrets = newSecrets();
  const env = { ...secrets, DATABASE_URL: db.url, CARDWRIGHT_ROLE: "all" };
  let platform = await runPlatform(env);
  const desk = { apiUrl: platform.api, adminToken: secrets.ADMIN_TOKEN };
  const programme = await createProgramme(desk);
  return {
    get platform() {
      return platform;
    },
    desk,
    credit: await enrolMerchant(desk, { name: "Acme Wallet", mode: "CREDIT_EXTENSION", programme }),
    authorization: await enrolMerchant(desk, { name: "Orbit Bank", mode: "AUTHORIZATION", programme }),
    restart: async () => {
      platform.kill("SIGKILL");
      await platform.ended;
      const { api, network, kycSimulator } = platform;
      const ports = { API_PORT: portOf(api), NETWORK_PORT: portOf(network), KYC_SIMULATOR_PORT: portOf(kycSimulator) };
      platform = await runPlatform({ ...env, ...ports });
    },
    waitLonger: async (merchantNo, ms) => {
      await db.pool.query(
        `UPDATE sandbox_listener SET streamed_at = streamed_at + $2
          WHERE merchant_id = (SELECT merchant_id FROM merchant WHERE merchant_no = $1)`,
        [merchantNo, ms],
      );
    },
    close: async () => {
      await endAll();
      await db.drop();
    },
  };
}

/** What a person whose project uses environment variables has set. */
export const environmentOf = (scene: Scene, merchant: SandboxMerchant): Record<string, string> => ({
  CARDWRIGHT_BASE_URL: scene.platform.api,
  CARDWRIGHT_API_KEY: merchant.apiKey,
  CARDWRIGHT_API_SECRET: merchant.apiSecret,
  CARDWRIGHT_APP_ID: merchant.appId,
});
