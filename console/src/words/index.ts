import { en } from "./en";
import { it } from "./it";
import { forBrowser, told } from "../kept";
import type { Delivery, Reason } from "../api/types";

// Words are all messages of the console by name, in one language. TypeScript holds each language to all of them.
export type Words = Record<keyof typeof en, string>;
export type Name = keyof typeof en;

// A reason or a wait of the API that has no words here is an error of this line.
const allSaid: Exclude<`reason.${Reason}` | `waiting.${NonNullable<Delivery["waiting"]>}` | `error.${NonNullable<Delivery["error"]>}`, Name> extends never ? true : never = true;
void allSaid;

const languages: Record<string, Words> = { en, it };
export const languageNames: Record<string, string> = { en: "English", it: "Italiano" };
const place = "postino.language";

const wished = told.get("language") ?? forBrowser.get(place) ?? "";
export const language = languages[wished] ? wished : navigator.language.startsWith("it") ? "it" : "en";
const words = languages[language]!;

export function speak(other: string) {
  forBrowser.set(place, other);
  location.reload();
}

// t returns a message. {name} in it stands for a value.
export function t(name: Name, values: Record<string, string | number> = {}): string {
  return words[name].replace(/(?<!\{)\{(\w+)\}(?!\})/g, (_, v: string) => String(values[v] ?? ""));
}

// said returns the message "before.word" if there is one, else the word, which the API may have since learnt.
export function said(before: string, word: string): string {
  return (words as Record<string, string>)[`${before}.${word}`] ?? word;
}

const number = new Intl.NumberFormat(language);
export const count = (n: number) => number.format(n);
