import type { AccessToken } from "./generated/types.ts";

export interface AccessTokens {
  /** The present token, or a new one; any number of callers at once cause one request. */
  current(): Promise<string>;
  /** The platform does not take this one any more. A newer one, which another caller has brought meanwhile, stays. */
  drop(token: string): void;
}

/** Renewed a minute early, so that no token runs out while a call is on its way. */
const renewBeforeMs = 60_000;

export function createAccessTokens(deps: {
  readonly fetchToken: () => Promise<AccessToken>;
  /** By the platform's clock, in which `expired_time` is. */
  readonly now: () => number;
}): AccessTokens {
  let kept: AccessToken | undefined;
  let renewal: Promise<AccessToken> | undefined;
  const renew = async (): Promise<AccessToken> => {
    try {
      kept = await deps.fetchToken();
      return kept;
    } finally {
      renewal = undefined;
    }
  };
  return {
    current: async () => {
      if (kept !== undefined && kept.expired_time - deps.now() > renewBeforeMs) return kept.access_token;
      renewal ??= renew();
      return (await renewal).access_token;
    },
    drop: (token) => {
      if (kept?.access_token === token) kept = undefined;
    },
  };
}
