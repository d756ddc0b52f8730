import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, type Query, type Refusal } from "../api/client";
import type { List } from "../api/types";
import { t, type Name } from "../words";
import { Empty, Loading, Trouble } from "./basics";
import { refusalOf, useEvery } from "./hooks";

export type Column<T> = { title: Name; show: (row: T) => ComponentChildren; wide?: boolean };

type Props<T> = { path: string; query?: Query; columns: Column<T>[]; id: (row: T) => string; empty: ComponentChildren; live?: boolean; label: string; turn?: number };

// Listing shows a list of the API, page by page. When it is live, it looks for new rows every two seconds.
export function Listing<T>({ path, query = {}, columns, id, empty, live = false, label, turn = 0 }: Props<T>) {
  const [rows, setRows] = useState<T[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<Refusal>();
  const key = JSON.stringify([path, query, turn]);
  const [loadedFor, setLoadedFor] = useState(key);
  const load = (cursor?: string) => get<List<T>>(path, { ...query, cursor });

  useEffect(() => {
    let current = true;
    load().then(
      (page) => { if (current) { setRows(page.data); setNext(page.next_cursor); setLoadedFor(key); setError(undefined); } },
      (e: unknown) => { if (current) setError(refusalOf(e)); },
    );
    return () => { current = false; };
  }, [key]);

  // Only the first page is looked at anew: what is further down is older.
  useEvery(2000, live && loadedFor === key, () => {
    load().then((page) => setRows((old) => merged(page.data, old ?? [], id)), () => undefined);
  });
  const more = () => load(next!).then(
    (page) => { setRows([...(rows ?? []), ...page.data]); setNext(page.next_cursor); setError(undefined); },
    (e: unknown) => setError(refusalOf(e)),
  );
  const first = () => load().then((page) => { setRows(page.data); setNext(page.next_cursor); setError(undefined); }, (e: unknown) => setError(refusalOf(e)));

  if (error && rows === null) return <Trouble error={error} retry={first} />;
  if (rows === null || (loadedFor !== key && !error)) return <Loading />;
  if (rows.length === 0 && next === null) return <Empty>{empty}</Empty>;
  return (
    <>
      {error && <Trouble error={error} retry={first} />}
      <Table rows={rows} columns={columns} id={id} label={label} />
      {next !== null && <p class="more"><button type="button" onClick={more}>{t("more")}</button></p>}
    </>
  );
}

const most = 1000; // rows that are kept while a list is live

function merged<T>(fresh: T[], old: T[], id: (row: T) => string): T[] {
  const seen = new Set(fresh.map(id));
  return [...fresh, ...old.filter((row) => !seen.has(id(row)))].slice(0, most);
}

export function Table<T>({ rows, columns, id, label }: { rows: T[]; columns: Column<T>[]; id: (row: T) => string; label: string }) {
  return (
    <table aria-label={label} class="rows">
      <thead><tr>{columns.map((c) => <th key={c.title} scope="col">{t(c.title)}</th>)}</tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)}>{columns.map((c) => <td key={c.title} data-title={t(c.title)} class={c.wide ? "wide" : ""}><div>{c.show(row)}</div></td>)}</tr>
        ))}
      </tbody>
    </table>
  );
}
