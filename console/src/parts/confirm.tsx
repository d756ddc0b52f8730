import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../words";
import { Trouble } from "./basics";
import { useAction } from "./hooks";

// Dialog is a native one: it keeps the focus, and Escape closes it.
export function Dialog({ title, close, children }: { title: string; close: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  return <dialog ref={ref} aria-label={title} onClose={close}><h2>{title}</h2>{children}</dialog>;
}

type Asked = { label: string; says: ComponentChildren; act: () => Promise<unknown>; danger?: boolean; done?: () => void; disabled?: boolean };

// Ask is a button that first says what it will do.
export function Ask({ label, says, act, danger, done, disabled }: Asked) {
  const [open, set] = useState(false);
  const action = useAction();
  const confirm = async () => {
    if (!(await action.run(act))) return;
    set(false);
    done?.();
  };
  return (
    <>
      <button type="button" class={danger ? "danger" : ""} disabled={disabled} onClick={() => { action.clear(); set(true); }}>{label}</button>
      {open && (
        <Dialog title={label} close={() => set(false)}>
          <div class="says">{says}</div>
          {action.error && <Trouble error={action.error} />}
          <div class="actions">
            <button type="button" onClick={() => set(false)}>{t("back")}</button>
            <button type="button" class={danger ? "danger main" : "main"} disabled={action.busy} onClick={confirm}>{label}</button>
          </div>
        </Dialog>
      )}
    </>
  );
}
