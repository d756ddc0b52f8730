import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Refusal } from "../api/client";

export type Loaded<T> = { data?: T; error?: Refusal; loading: boolean; reload: () => void };

const again = 5000; // milliseconds until what may pass is tried again

export const refusalOf = (e: unknown) => (e instanceof Refusal ? e : new Refusal(-1, "", String(e)));

// useLoaded loads when something that it depends on changes. What was loaded before stays until then. A failure that
// may pass is tried again by itself.
export function useLoaded<T>(load: () => Promise<T>, depends: unknown[]): Loaded<T> {
  const [state, set] = useState<{ data?: T; error?: Refusal; loading: boolean }>({ loading: true });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const key = JSON.stringify(depends), last = useRef(key);
  useEffect(() => {
    let current = true, timer = 0;
    const fresh = last.current !== key;
    last.current = key;
    set((s) => (fresh ? { loading: true } : { ...s, loading: true }));
    load().then(
      (data) => current && set({ data, loading: false }),
      (e: unknown) => {
        if (!current) return;
        const error = refusalOf(e);
        set((s) => ({ ...s, error, loading: false }));
        if (error.passing) timer = setTimeout(reload, again);
      },
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key, turn]);
  return { ...state, reload };
}

// useEvery calls again and again while on.
export function useEvery(milliseconds: number, on: boolean, f: () => void) {
  const latest = useRef(f);
  latest.current = f;
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => document.visibilityState === "visible" && latest.current(), milliseconds);
    return () => clearInterval(timer);
  }, [on, milliseconds]);
}

// useAction runs one request at a time and keeps what was wrong with the last one.
export function useAction(): { busy: boolean; error?: Refusal; clear: () => void; run: (f: () => Promise<unknown>) => Promise<boolean> } {
  const [state, set] = useState<{ busy: boolean; error?: Refusal }>({ busy: false });
  const run = async (f: () => Promise<unknown>) => {
    set({ busy: true });
    try {
      await f();
      set({ busy: false });
      return true;
    } catch (e) {
      set({ busy: false, error: refusalOf(e) });
      return false;
    }
  };
  return { ...state, clear: () => set({ busy: false }), run };
}
