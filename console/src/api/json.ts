// JSON as text. JSON.parse would turn 12.50 into 12.5 and cut long numbers, and what is shown here is what was sent.

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;

// pretty indents JSON and leaves each value as it is written. Other text it returns unchanged.
export function pretty(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const tokens = text.match(token) ?? [];
  let out = "", depth = 0;
  const line = () => "\n" + "  ".repeat(depth);
  tokens.forEach((t, i) => {
    const next = tokens[i + 1];
    if (t === "{" || t === "[") {
      out += t;
      depth++;
      if (next !== "}" && next !== "]") out += line();
    } else if (t === "}" || t === "]") {
      depth--;
      out += (tokens[i - 1] === "{" || tokens[i - 1] === "[" ? "" : line()) + t;
    } else if (t === ",") out += t + line();
    else out += t === ":" ? ": " : t;
  });
  return out;
}

// member returns the text of one member of an object; "" if it has none.
export function member(text: string, name: string): string {
  let depth = 0, begin = -1, key = "";
  for (const m of text.matchAll(token)) {
    const t = m[0];
    if (begin >= 0 && depth === 1 && (t === "," || t === "}")) return text.slice(begin, m.index).trim();
    if (t === "{" || t === "[") depth++;
    else if (t === "}" || t === "]") depth--;
    else if (depth === 1 && t === ":" && begin < 0 && JSON.parse(key) === name) begin = m.index + 1;
    else if (depth === 1 && t.startsWith('"')) key = t;
  }
  return "";
}
