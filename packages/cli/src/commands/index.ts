import type { Command } from "../command/command.ts";
import { accountCommands } from "./accounts.ts";
import { cardholderCommands } from "./cardholders.ts";
import { cardCommands } from "./cards.ts";
import { certifyCommands } from "./certify.ts";
import { clockCommands } from "./clock.ts";
import { completionCommand } from "./completion.ts";
import { consumptionCommands } from "./consumptions.ts";
import { endpointCommands } from "./endpoint.ts";
import { eventCommands } from "./events.ts";
import { initCommand } from "./init.ts";
import { listenCommand } from "./listen.ts";
import { loginCommands } from "./login.ts";
import { productCommands } from "./products.ts";
import { secretCommands } from "./secrets.ts";
import { triggerCommand } from "./trigger.ts";
import { verifyCommand } from "./verify.ts";

/** Every command, in the order of help and reference. */
export const commands: readonly Command[] = [
  initCommand,
  ...loginCommands,
  ...cardholderCommands,
  ...cardCommands,
  ...accountCommands,
  ...productCommands,
  ...consumptionCommands,
  ...eventCommands,
  ...endpointCommands,
  ...secretCommands,
  listenCommand,
  triggerCommand,
  ...clockCommands,
  verifyCommand,
  ...certifyCommands,
  completionCommand,
];
