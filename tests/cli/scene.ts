import { createProgramme, enrolMerchant, type OperatorDesk } from "../../scripts/sandbox/enrol.ts";
import type { SandboxMerchant } from "../../scripts/sandbox/settings.ts";
import { createTestDatabase } from "../support/database.ts";
import { endAll, newSecrets, type PlatformProcess, runPlatform } from "../support/processes.ts";

/** One platform, as a process, with a merchant of each mode. */
export interface Scene {
  readonly platform: PlatformProcess;
  readonly desk: OperatorDesk;
  readonly credit: SandboxMerchant;
  readonly authorization: SandboxMerchant;
  close(): Promise<void>;
}

export async function openScene(): Promise<Scene> {
  const db = await createTestDatabase();
  const secrets = newSecrets();
  const platform = await runPlatform({ ...secrets, DATABASE_URL: db.url, CARDWRIGHT_ROLE: "all" });
  const desk = { apiUrl: platform.api, adminToken: secrets.ADMIN_TOKEN };
  const programme = await createProgramme(desk);
  return {
    platform,
    desk,
    credit: await enrolMerchant(desk, { name: "Acme Wallet", mode: "CREDIT_EXTENSION", programme }),
    authorization: await enrolMerchant(desk, { name: "Orbit Bank", mode: "AUTHORIZATION", programme }),
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
