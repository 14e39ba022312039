import type { Server } from "node:http";

/** The requests that a server has let in and not answered yet. */
export interface RequestsUnderWay {
  /** Resolves when there are none. */
  over(): Promise<void>;
}

/**
 * Counts from now on; a request that comes while `isOpen` is false is being refused and counts for nothing, and its connection
 * ends with its answer, so that the next request goes elsewhere.
 */
export function countRequests(server: Server, isOpen: () => boolean): RequestsUnderWay {
  let underWay = 0;
  let onNone: (() => void) | null = null;
  server.prependListener("request", (_request, response) => {
    if (!isOpen()) {
      response.setHeader("connection", "close");
      return;
    }
    underWay += 1;
    // "close" comes after the last byte of the answer, and also when the caller went away.
    response.once("close", () => {
      underWay -= 1;
      if (underWay === 0) {
        onNone?.();
      }
    });
  });
  return {
    over: async () => {
      if (underWay > 0) {
        await new Promise<void>((resolve) => {
          onNone = resolve;
        });
      }
    },
  };
}
