import { z } from "zod";
import { count, requiredCardNo, text, time } from "./field.ts";

export const merchantTokenRequest = z.object({});

export const merchantTokenData = z.object({
  access_token: text({
    description: "Send it as the `Access-Token` header of all other requests.",
    example: "at_5Qd8mJ2kX0c7VnZr4TgLwY1s",
  }),
  expired_time: time("When the token stops working, 24 hours from now."),
});

export const merchantClientTokenParams = z.object({ card_no: requiredCardNo });

export const merchantClientTokenData = z.object({
  client_access_token: text({
    description: "Opens the card frame once for this card.",
    example: "ct_9bT3uK6pR1xWfE0aHqNz7VdM",
  }),
  expires_in: count("Seconds until the token stops working.", 60),
});
