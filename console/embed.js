// Shows Postino's portal within a page: <postino-portal link="https://postino.example/portal/acme#key=…"></postino-portal>.
// The link comes from POST /portal-links. Postino shows itself only in pages whose origin was listed by PUT /origins.
class PostinoPortal extends HTMLElement {
  static observedAttributes = ["link", "theme", "language"];
  connectedCallback() { this.show(); }
  attributeChangedCallback() { if (this.isConnected) this.show(); }
  show() {
    const link = this.getAttribute("link");
    if (!link) return this.replaceChildren();
    const address = new URL(link, import.meta.url);
    for (const name of ["theme", "language"]) {
      const value = this.getAttribute(name);
      if (value) address.hash += `&${name}=${encodeURIComponent(value)}`;
    }
    const frame = document.createElement("iframe");
    frame.src = address.href;
    frame.title = this.getAttribute("title") ?? "Webhooks";
    frame.referrerPolicy = "no-referrer";
    frame.allow = "clipboard-write";
    frame.style.cssText = "border: 0; width: 100%; height: 100%; min-height: 32rem; display: block";
    this.style.display ||= "block";
    this.replaceChildren(frame);
  }
}
customElements.define("postino-portal", PostinoPortal);
