import { type Callback, createCallbacks, SignatureError } from "@cardwright/sdk";

const { APP_ID: appId = "", API_SECRET: apiSecret = "", WEBHOOK_SECRETS = "" } = process.env;

// Both signatures are checked where their secrets are given; several webhook secrets while one is being changed.
const callbacks = createCallbacks({ appId, apiSecret, webhookSecrets: WEBHOOK_SECRETS.split(" ").filter(Boolean) });

/** The callback of a request whose body nobody has read, or null for one that is not to be believed. */
export async function verified(request: Request): Promise<Callback | null> {
  try {
    return await callbacks.verify(request);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    console.warn(`a callback was refused: ${error.reason}`); // for your log, not for the sender
    return null;
  }
}
