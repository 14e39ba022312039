import type { Delivery } from "./delivery.ts";
import type { Random } from "./random.ts";

/** A change of a delivery, such as somebody who has no secret can make. */
export interface Mutation {
  readonly name: string;
  /** `other` is another genuine delivery. Null where there is nothing to change in this way. */
  readonly apply: (
    delivery: Delivery,
    chance: { readonly random: Random; readonly other: Delivery },
  ) => Delivery | null;
  /**
   * What V1 says of a genuine delivery that was changed in this one way: `accepted` are the equivalences that V1 has. Undefined
   * where it depends on the place.
   */
  readonly v1?: "accepted" | "refused";
}
