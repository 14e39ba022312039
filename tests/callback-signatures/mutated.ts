import { type Delivery, genuineDeliveries } from "./delivery.ts";
import type { Mutation } from "./mutation.ts";
import { mutationsOfBytes } from "./mutations-of-bytes.ts";
import { mutationsOfJson } from "./mutations-of-json.ts";
import { type Random, randomOf } from "./random.ts";

export interface Mutated {
  readonly genuine: Delivery;
  readonly given: Delivery;
  /** One to three that have changed it, in their order. */
  readonly mutations: readonly Mutation[];
}

const mutations: readonly [Mutation, ...Mutation[]] = [
  { name: "nothing changed", apply: (delivery) => delivery, v1: "accepted" },
  ...mutationsOfBytes,
  ...mutationsOfJson,
];

export const mutationNames: readonly string[] = mutations.map(({ name }) => name);

/** `count` deliveries that were changed, the same ones for the same seed. */
export function* mutatedDeliveries({
  seed,
  count,
}: {
  readonly seed: number;
  readonly count: number;
}): Generator<Mutated> {
  const random = randomOf(seed);
  const genuine = genuineDeliveries();
  for (let made = 0; made < count; made += 1) {
    yield mutated(random.pick(genuine), random.pick(genuine), random);
  }
}

/** Tries at finding a change that there is something to change for; in the end the delivery stays as it is. */
const triesMax = 20;

function mutated(genuine: Delivery, other: Delivery, random: Random): Mutated {
  const wanted = random.pick([1, 1, 1, 2, 3]);
  const applied: Mutation[] = [];
  let given = genuine;
  for (let tries = 0; tries < triesMax && applied.length < wanted; tries += 1) {
    const mutation = random.pick(mutations);
    const changed = mutation.apply(given, { random, other });
    if (changed !== null) {
      given = changed;
      applied.push(mutation);
    }
  }
  return { genuine, given, mutations: applied };
}
