import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import { closeFinishedDays } from "./closing.ts";
import { type ReserveOutlook, reserveOutlook } from "./forecast.ts";
import type { NewAdjustment, NewWithdrawal, ReserveOrder, ReserveOrderFilter, ReserveOrderRefusal } from "./order.ts";
import { selectOrderByNo, selectOrders } from "./order-store.ts";
import { approveOrder, askAdjustment, askWithdrawal, cancelOrder, type ReserveDeps } from "./orders.ts";
import { readStatements, type StatementRange } from "./reading.ts";
import type { ReserveStatement } from "./statement.ts";
import {
  changeReserveSettings,
  type ReserveSettings,
  type ReserveSettingsChange,
  type ReserveSettingsRefusal,
  warnOfLowReserves,
} from "./watch.ts";

type Ordered = Promise<Result<ReserveOrder, ReserveOrderRefusal>>;

/** The reserves of merchants as an operator runs them: orders with four eyes, statements, warnings, forecast, policy at zero. */
export interface Reserves {
  askWithdrawal(input: NewWithdrawal, by: Initiator): Ordered;
  askAdjustment(input: NewAdjustment, by: Initiator): Ordered;
  approveOrder(input: { readonly orderNo: string }, by: Initiator): Ordered;
  cancelOrder(input: { readonly orderNo: string }, by: Initiator): Ordered;
  findOrder(orderNo: string): Promise<ReserveOrder | null>;
  /** Newest first. */
  listOrders(filter: ReserveOrderFilter): Promise<ReserveOrder[]>;

  statements(range: StatementRange): Promise<ReserveStatement[]>;
  outlook(merchantId: number): Promise<ReserveOutlook | null>;
  changeSettings(
    input: { readonly merchantId: number; readonly change: ReserveSettingsChange },
    by: Initiator,
  ): Promise<Result<ReserveSettings, ReserveSettingsRefusal>>;

  /** Rounds of the worker; each answers how much it did. */
  closeFinishedDays(): Promise<number>;
  warnOfLowReserves(): Promise<number>;
}

export function createReserves(deps: ReserveDeps): Reserves {
  return {
    askWithdrawal: (input, by) => askWithdrawal(deps, input, by),
    askAdjustment: (input, by) => askAdjustment(deps, input, by),
    approveOrder: (input, by) => approveOrder(deps, input, by),
    cancelOrder: (input, by) => cancelOrder(deps, input, by),
    findOrder: (orderNo) => selectOrderByNo(deps.pool, orderNo),
    listOrders: (filter) => selectOrders(deps.pool, filter),
    statements: (range) => readStatements(deps, range),
    outlook: (merchantId) => reserveOutlook(deps, merchantId),
    changeSettings: (input, by) => changeReserveSettings(deps, input, by),
    closeFinishedDays: () => closeFinishedDays(deps),
    warnOfLowReserves: () => warnOfLowReserves(deps),
  };
}
