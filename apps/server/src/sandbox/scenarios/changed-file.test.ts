import { expect, test } from "vitest";
import { changedFile } from "./changed-file.ts";

const file = `H,cardwright-settlement-1,sandbox-2026-05-22,sandbox,2026-05-22,USD,3
D,run-c1,run-p1,clearing,4242,12.50,USD,12.50,2026-05-22T09:00:00.000Z
D,run-c2,run-p2,clearing,4242,1500,JPY,9.60,2026-05-22T09:10:00.000Z
D,run-f1,run-p1,refund,4242,12.50,USD,-12.50,2026-05-22T20:00:00.000Z
T,3,22.10,-12.50,9.60
`;

test("without changes the file is the network's, byte for byte", () => {
  expect(changedFile(file, [])).toBe(file);
});

test("header and trailer follow the rows that are changed, renamed and left out", () => {
  const changes = [
    { reference: "run-c1", leftOut: true },
    { reference: "run-c2", newReference: "run-c9" },
    { reference: "run-f1", settled: "-0.05" },
  ];
  expect(changedFile(file, changes)).toBe(`H,cardwright-settlement-1,sandbox-2026-05-22,sandbox,2026-05-22,USD,2
D,run-c9,run-p2,clearing,4242,1500,JPY,9.60,2026-05-22T09:10:00.000Z
D,run-f1,run-p1,refund,4242,12.50,USD,-0.05,2026-05-22T20:00:00.000Z
T,2,9.60,-0.05,9.55
`);
});

test("a change of a row that is not there is a mistake of the scenario", () => {
  expect(() => changedFile(file, [{ reference: "run-c7", leftOut: true }])).toThrow(/no row of run-c7/u);
});
