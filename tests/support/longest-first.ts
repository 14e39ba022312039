import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, longest first, from measured runs. Vitest begins with what it remembers as long; in a fresh clone it
 * remembers nothing and goes by the size of the files, and then one worker plays the scenarios when the other has nothing left to do.
 */
const longest: readonly string[] = [
  "tests/scenarios/scenarios.test.ts",
  "tests/processes/start-refusals.test.ts",
  "tests/faults/model.test.ts",
  "packages/certify/src/broken-merchants.test.ts",
  "tests/processes/start-interrupted.test.ts",
  "apps/server/src/database/embedded.test.ts",
  "tests/processes/settlement.test.ts",
  "tests/faults/kill.test.ts",
  "tests/processes/roles.test.ts",
  "tests/callback-signatures/fuzz.test.ts",
  "tests/processes/demo.test.ts",
  "tests/processes/start.test.ts",
  "tests/scenarios/command.test.ts",
  "tests/cli/callbacks.test.ts",
  "tests/docs/verify-callbacks.test.ts",
  "tests/relay/relay.test.ts",
  "tests/scenarios/differences.test.ts",
  "tests/faults/delivery.test.ts",
  "tests/processes/database-away.test.ts",
  "tests/docs/certify-steps.test.ts",
  "tests/processes/killed-network.test.ts",
  "bench/decision.test.ts",
  "scripts/setup.test.ts",
  "tests/time/one-step-or-many.test.ts",
  "tests/clearing/races.test.ts",
  "tests/time/management-fees.test.ts",
];

/** Lets both workers end at about the same time, on a first run too. Throws when a file of the list is not there any more. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const gone = longest.filter((name) => !existsSync(resolve(root, name)));
    if (gone.length > 0) throw new Error(`tests/support/longest-first.ts names what is not there: ${gone.join(", ")}`);
    const places = new Map(longest.map((name, place) => [name, place]));
    const placeOf = ({ moduleId }: TestSpecification): number =>
      places.get(relative(root, moduleId).replaceAll("\\", "/")) ?? longest.length;
    return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
