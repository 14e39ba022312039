import { endpoints } from "@cardwright/contract";
import { Cardwright, type CardwrightOptions } from "@cardwright/sdk";
import type { TestApi, TestCredential } from "@cardwright/testing/api";

export const day = { start_time: "2026-05-22", end_time: "2026-05-22" };

/** Ids of the endpoints that a client of this file has been answered by, so that none is forgotten. */
export const answered = new Set<string>();

function noteAnswer(method: string | undefined, url: string): void {
  const { pathname } = new URL(url);
  const found = endpoints.find(
    ({ method: own, path }) =>
      own === method && new RegExp(`^${path.replaceAll(/:[a-z_]+/gu, "[^/]+")}$`, "u").test(pathname),
  );
  if (found !== undefined) answered.add(found.id);
}

/**
 * A client of the platform of a test, whose clock the test moves. Its web server dates answers by the machine's clock, as every web
 * server does: here they get the date of the platform's own.
 */
export function clientOf(
  api: TestApi,
  credential: TestCredential,
  options: Partial<CardwrightOptions> = {},
): Cardwright {
  const { apiKey, apiSecret } = credential;
  return new Cardwright({
    baseUrl: api.url,
    apiKey,
    apiSecret,
    appId: credential.merchant.appId,
    now: () => api.clock.now(),
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      if (answer.status === 200) noteAnswer(init.method, url);
      const headers = new Headers(answer.headers);
      headers.set("date", new Date(api.clock.now()).toUTCString());
      return new Response(answer.body, { status: answer.status, headers });
    },
    ...options,
  });
}
