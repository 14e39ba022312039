import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The floors alone, for `npm run check`: without the database that the other tests begin with. */
export default defineConfig({
  test: { root: fileURLToPath(new URL("..", import.meta.url)), include: ["apps/server/src/floors.test.ts"] },
});
