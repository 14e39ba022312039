import { anything, assert, property } from "fast-check";
import { expect, test } from "vitest";
import { readApplicant } from "./sumsub-applicant.ts";

const person = {
  id: "a1",
  email: "ada@example.com",
  info: { firstName: "Ада", firstNameEn: "Ada", lastName: "Byron" },
};
const reviewed = (review: object) => readApplicant({ ...person, review })?.review;

test("names are taken in Latin letters when the provider has them", () => {
  expect(readApplicant({ ...person, review: { reviewStatus: "pending" } })).toEqual({
    email: "ada@example.com",
    firstName: "Ada",
    lastName: "Byron",
    review: { state: "pending" },
  });
});

test("an answer counts only while the review is completed", () => {
  const reviewResult = { reviewAnswer: "GREEN" };
  expect(reviewed({ reviewStatus: "completed", reviewResult })).toEqual({ state: "approved" });
  for (const reviewStatus of ["init", "pending", "queued", "prechecked", "awaitingUser", "something new"]) {
    expect(reviewed({ reviewStatus, reviewResult })).toEqual({ state: "pending" });
  }
  expect(reviewed({ reviewStatus: "onHold", reviewResult })).toEqual({ state: "on_hold" });
  expect(reviewed({ reviewStatus: "completed", reviewResult: { reviewAnswer: "BLUE" } })).toEqual({ state: "pending" });
  expect(reviewed({ reviewStatus: "completed" })).toEqual({ state: "pending" });
});

test("a rejection always has a reason: the comment, else the labels, else a sentence", () => {
  const rejected = (result: object) =>
    reviewed({ reviewStatus: "completed", reviewResult: { reviewAnswer: "RED", ...result } });
  const rejectLabels = ["FORGERY", "BAD_PROOF_OF_IDENTITY"];
  expect(rejected({ reviewRejectType: "RETRY", moderationComment: "Blurred.", rejectLabels })).toEqual({
    state: "rejected",
    rejection: "retry",
    reason: "Blurred.",
  });
  expect(rejected({ reviewRejectType: "FINAL", moderationComment: " ", rejectLabels })).toEqual({
    state: "rejected",
    rejection: "final",
    reason: "FORGERY, BAD_PROOF_OF_IDENTITY",
  });
  expect(rejected({})).toMatchObject({ rejection: "final", reason: expect.stringMatching(/\w+/u) });
});

test("a name of a strange form does not keep a verdict from arriving", () => {
  const review = { reviewStatus: "completed", reviewResult: { reviewAnswer: "GREEN" } };
  expect(readApplicant({ id: "a1", email: 7, info: "none", review })).toEqual({
    email: "",
    firstName: "",
    lastName: "",
    review: { state: "approved" },
  });
});

test("texts are cut to what the tables hold and lose what breaks them", () => {
  const info = { firstName: `A\u0000d\n\ud800a`, lastName: "😀".repeat(100) };
  const applicant = readApplicant({ id: "a1", info, review: { reviewStatus: "pending" } });
  expect(applicant?.firstName).toBe("A d a");
  expect(applicant?.lastName).toBe("😀".repeat(64));
});

test("whatever the provider answers is read or refused, never thrown at", () => {
  assert(
    property(anything(), anything(), (review, info) => {
      readApplicant(review);
      readApplicant({ id: "a1", info, review });
    }),
  );
});
