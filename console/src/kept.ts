// What a browser keeps. Within a page of another origin it may refuse to: then a visit is remembered until it ends.
function guarded(of: () => Storage) {
  const here = new Map<string, string>();
  return {
    get(name: string): string | null {
      try {
        return of().getItem(name);
      } catch {
        return here.get(name) ?? null;
      }
    },
    set(name: string, value: string) {
      try {
        of().setItem(name, value);
      } catch {
        here.set(name, value);
      }
    },
    remove(name: string) {
      here.delete(name);
      try {
        of().removeItem(name);
      } catch { /* it kept nothing */ }
    },
  };
}

export const forTab = guarded(() => sessionStorage);
export const forBrowser = guarded(() => localStorage);

// told is what a link to the portal says behind the #, before it is taken out of the address.
export const told = new URLSearchParams(location.hash.replace(/^#/, ""));
