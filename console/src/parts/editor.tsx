import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
]);

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--field)", border: "1px solid var(--edge)", borderRadius: "6px", fontSize: "14px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "ui-monospace, monospace", maxHeight: "32rem" },
  ".cm-content": { padding: "8px 4px" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--line)" },
});

// Editor edits JSON. It lives in a shadow tree, where CodeMirror's styles are sheets that it adopts: the page's policy
// allows no style elements. Tab moves the focus on, as everywhere.
export function Editor({ value, label, change }: { value: string; label: string; change: (text: string) => void }) {
  const host = useRef<HTMLDivElement>(null), view = useRef<EditorView>(null), changed = useRef(change);
  changed.current = change;
  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    view.current = new EditorView({
      root, parent: root, doc: value,
      extensions: [
        history(), drawSelection(), bracketMatching(), json(), syntaxHighlighting(colours), look, EditorState.tabSize.of(2), EditorView.lineWrapping,
        keymap.of([...defaultKeymap, ...historyKeymap]), EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorView.updateListener.of((u) => u.docChanged && changed.current(u.state.doc.toString())),
      ],
    });
    requestAnimationFrame(() => view.current?.requestMeasure()); // the heights of lines, once the sheets hold
    return () => view.current?.destroy();
  }, []);
  // At once, before another key can come: what is older than the text that was typed must not replace it.
  useLayoutEffect(() => {
    const v = view.current;
    if (v && v.state.doc.toString() !== value) v.dispatch({ changes: { from: 0, to: v.state.doc.length, insert: value } });
  }, [value]);
  return <div ref={host} class="editor" />;
}
