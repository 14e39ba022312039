import type { CallbackCounts, State, View } from "./state.ts";
import type { Mode } from "./users.ts";

const rowsShownMax = 50;
const refreshSeconds = 2;

/** The merchant's accounts at a glance; reloads itself. */
export function accountsPage(view: { mode: Mode; state: State }): string {
  const { users, cards, bookings, callbacks } = view.state;
  const credit = view.mode === "CREDIT_EXTENSION";
  const how = credit
    ? "Credit mode: the platform decides on the credit granted to each user; this merchant mirrors what was spent."
    : "Authorization mode: this merchant is asked about every purchase and answers from its users' balances.";
  return page({
    title: `Example merchant · ${credit ? "credit" : "authorization"}`,
    head: `<meta http-equiv="refresh" content="${refreshSeconds}">`,
    body: `<header><h1>Example merchant</h1><p>${how}</p><a class="button" href="/kyc">New user</a></header>
${tiles(callbacks)}
<section><h2>Users</h2>${table(["Name", "Email", "Verification", "Balance", "Held", "Available"], users.map(userRow))}</section>
<section><h2>Cards</h2><div class="cards">${cards
      .slice(0, rowsShownMax)
      .map((card) => cardTile(card, users))
      .join("")}</div></section>
<section><h2>Bookings</h2>${table(["Time", "Type", "Shop", "Amount", "Fee", "Status", "Remark"], bookings.map(bookingRow))}</section>`,
  });
}

/** Stands in for the page where a user would show a passport and their face to the merchant's KYC provider. */
export function verificationPage(): string {
  const outcomes = ["approve", "reject", "pending"].map((outcome) => `<option>${outcome}</option>`).join("");
  return page({
    title: "Verify your identity",
    head: "",
    body: `<header><h1>Verify your identity</h1><p>Nobody looks at a passport here: choose how the verification ends.</p></header>
<form method="post" action="/kyc">
<label>Name<input name="name" required maxlength="128" value="Ada Lovelace"></label>
<label>Email<input name="email" type="email" required maxlength="128" value="ada@example.com"></label>
<label>Opening balance, USD<input name="balance" required pattern="\\d{1,9}(\\.\\d{1,2})?" value="500.00"></label>
<label>Outcome<select name="outcome">${outcomes}</select></label>
<button class="button">Verify and sign up</button> <a href="/">Back</a>
</form>`,
  });
}

function tiles(callbacks: CallbackCounts): string {
  const tile = (label: string, count: number) => `<div><strong>${count}</strong>${label}</div>`;
  return `<div class="tiles">${tile("callbacks", callbacks.received)}${tile("verified", callbacks.verified)}${tile("refused", callbacks.refused)}</div>`;
}

function table(columns: readonly string[], rows: readonly string[]): string {
  const head = columns.map((column) => `<th>${column}</th>`).join("");
  const none = `<tr><td colspan="${columns.length}" class="none">Nothing yet</td></tr>`;
  const shown = rows.slice(0, rowsShownMax).join("") || none;
  return `<table><thead><tr>${head}</tr></thead><tbody>${shown}</tbody></table>`;
}

function userRow({ name, email, status, cardholder_status, balance, held, available }: View): string {
  return row([name, email, badge(status === "Frozen" ? status : cardholder_status), balance, held, available]);
}

function bookingRow({ time, type, shop, amount, fee, status, remark }: View): string {
  const shownTime = new Date(Number(time)).toISOString().slice(0, 19).replace("T", " ");
  return row([shownTime, type, shop, amount, fee, badge(status), remark]);
}

function cardTile({ user_id, card_type, card_last_no, status }: View, users: readonly View[]): string {
  const holder = users.find((user) => user["id"] === user_id)?.["name"];
  return `<div class="card"><span>${escaped(card_type)} ${markup(badge(status))}</span>
<b>•••• ${escaped(card_last_no)}</b><span>${escaped(holder)}</span></div>`;
}

/** Marks text that is HTML already; all other text is escaped. */
class Markup {
  readonly html: string;
  constructor(html: string) {
    this.html = html;
  }
}

type Text = string | number | undefined;
type Cell = Text | Markup;

function badge(status: Text): Markup {
  const shown = escaped(status);
  const bad = /Fail|Reject|Frozen|Delete/u.test(shown);
  const good = /Success|Approved|Activated/u.test(shown);
  return new Markup(`<i class="${bad ? "bad" : good ? "good" : ""}">${shown}</i>`);
}

function row(cells: readonly Cell[]): string {
  return `<tr>${cells.map((cell) => `<td>${markup(cell)}</td>`).join("")}</tr>`;
}

function markup(cell: Cell): string {
  return cell instanceof Markup ? cell.html : escaped(cell);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: Text): string {
  return String(text ?? "").replaceAll(/[&<>"']/gu, (character) => entities[character] ?? "");
}

function page(parts: { title: string; head: string; body: string }): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${parts.title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">${parts.head}<style>${style}</style></head>
<body><main>${parts.body}</main></body></html>`;
}

const style = `
:root{color-scheme:light dark;--ink:light-dark(#1b2330,#e8ecf3);--quiet:light-dark(#667085,#98a2b3);--line:light-dark(#e4e7ec,#2b3444);--paper:light-dark(#fff,#171d28);--ground:light-dark(#f5f6f9,#0f141c);--accent:#3b5bdb}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1040px;margin:0 auto;padding:32px 20px}h1{margin:0;font-size:26px}h2{font-size:17px;margin:32px 0 10px}header p{color:var(--quiet);margin:4px 0 16px}
.button{display:inline-block;border:0;border-radius:8px;padding:9px 16px;background:var(--accent);color:#fff;font:inherit;text-decoration:none;cursor:pointer}
.tiles{display:flex;gap:12px;margin-top:24px}.tiles div{flex:1;background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:14px 18px;color:var(--quiet)}.tiles strong{display:block;font-size:24px;color:var(--ink)}
section{overflow-x:auto}table{width:100%;border-collapse:collapse;background:var(--paper);border:1px solid var(--line);border-radius:12px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:9px 14px;border-bottom:1px solid var(--line);white-space:nowrap}th{color:var(--quiet);font-weight:500;font-size:13px}tr:last-child td{border-bottom:0}.none{color:var(--quiet)}
i{font-style:normal;font-size:13px;padding:2px 9px;border-radius:99px;background:#98a2b333}.good{background:#12b76a33}.bad{background:#f0443833}
.cards{display:flex;flex-wrap:wrap;gap:14px}.card{width:250px;height:148px;border-radius:14px;padding:16px 18px;color:#fff;background:linear-gradient(135deg,#3b5bdb,#7048e8);display:flex;flex-direction:column;justify-content:space-between}.card b{font-size:19px;letter-spacing:2px}.card i{background:#ffffff33;float:right}
form{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:22px;max-width:420px}label{display:block;margin-bottom:14px;color:var(--quiet)}input,select{display:block;width:100%;margin-top:4px;padding:9px 11px;border:1px solid var(--line);border-radius:8px;background:var(--ground);color:var(--ink);font:inherit}`;
