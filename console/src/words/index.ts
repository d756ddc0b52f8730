import { en } from "./en";
import { it } from "./it";

// Words are all messages of the console by name, in one language. TypeScript holds each language to all of them.
export type Words = Record<keyof typeof en, string>;
export type Name = keyof typeof en;

const languages: Record<string, Words> = { en, it };
export const languageNames: Record<string, string> = { en: "English", it: "Italiano" };
const place = "postino.language";

export const language = languages[localStorage.getItem(place) ?? ""] ? localStorage.getItem(place)! : navigator.language.startsWith("it") ? "it" : "en";
const words = languages[language]!;

export function speak(other: string) {
  localStorage.setItem(place, other);
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
