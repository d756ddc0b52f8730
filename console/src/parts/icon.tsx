// Each icon is one path in a square of 24, drawn by its stroke.
const paths = {
  overview: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z",
  events: "M13 3 5 14h6l-1 7 8-11h-6z",
  deliveries: "M21 3 10 14M21 3l-7 18-4-7-7-4z",
  statistics: "M5 20V11M12 20V4M19 20v-6",
  jobs: "M4 6h16M4 12h16M4 18h9",
  subscriptions: "M10 14a5 5 0 0 0 7 0l3-3a5 5 0 0 0-7-7l-1 1M14 10a5 5 0 0 0-7 0l-3 3a5 5 0 0 0 7 7l1-1",
  campaigns: "M4 10v4h4l9 5V5l-9 5zM20 9a4 4 0 0 1 0 6",
  send: "M4 6h16v12H4zM4 8l8 6 8-6",
  profiles: "M19 20a7 7 0 0 0-14 0M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8",
  segments: "M12 12V4a8 8 0 1 1-7 12zM9 4.5A8 8 0 0 0 4 12h5z",
  "event-types": "M4 12V4h8l8 8-8 8zM8 8h.01",
  secrets: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  keys: "M15 4a5 5 0 1 1-4 8l-7 7v2h3v-2h2v-2h2l2-2M16 8h.01",
  tenants: "M5 20V6l7-3 7 3v14M10 20v-5h4v5M9 9h.01M15 9h.01M3 20h18",
  audit: "M6 3h8l4 4v14H6zM9 11h6M9 15h6",
  operate: "M3 12h4l3 7 4-14 3 7h4",
  portal: "M4 5h16v14H4zM4 9h16",
  "": "M4 4h6v6H4z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ of }: { of: string }) {
  return <svg class="icon" viewBox="0 0 24 24" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"><path d={paths[of as IconName] ?? paths[""]} /></svg>;
}

// Mark is the sign of Postino.
export function Mark() {
  return <svg class="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><rect x="2" y="6" width="28" height="20" rx="4" fill="var(--accent)" /><path d="M4 10l12 8 12-8" fill="none" stroke="var(--onaccent)" stroke-width="2.4" stroke-linejoin="round" stroke-linecap="round" /></svg>;
}
