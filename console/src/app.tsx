import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, Heading, Loading, Trouble } from "./parts/basics";
import { refusalOf } from "./parts/hooks";
import { type Route, useRoute } from "./router";
import { Shell } from "./shell";
import { portal, session } from "./session";
import { SignIn } from "./pages/signin";
import { Overview } from "./pages/overview";
import { Events } from "./pages/events";
import { EventPage } from "./pages/event";
import { Deliveries } from "./pages/deliveries";
import { DeliveryPage } from "./pages/delivery";
import { Subscriptions } from "./pages/subscriptions";
import { SubscriptionPage } from "./pages/subscription";
import { Jobs, JobPage } from "./pages/jobs";
import { Search } from "./pages/search";
import { t } from "./words";

type Page = ComponentType<{ route: Route; id: string }>;

const later = (load: () => Promise<Page>): Page => function Later(props) {
  const [page, set] = useState<{ Page?: Page; error?: unknown }>({});
  useEffect(() => void load().then((Page) => set({ Page }), (error: unknown) => set({ error })), []);
  if (page.error) return <Trouble error={refusalOf(page.error)} />;
  return page.Page ? <page.Page {...props} /> : <Loading />;
};

// The pages by address. One star stands for an id. Those that most visits do not need are loaded when they are opened.
const pages: [string, Page, boolean?][] = [
  ["", Overview, true],
  ["events", Events],
  ["events/*", EventPage],
  ["deliveries", Deliveries, true],
  ["deliveries/*", DeliveryPage, true],
  ["subscriptions", Subscriptions, true],
  ["subscriptions/*", SubscriptionPage, true],
  ["jobs", Jobs, true],
  ["jobs/*", JobPage, true],
  ["search", Search],
  ["create", later(() => import("./pages/create").then((m) => m.Create)), true],
  ["edit/*", later(() => import("./pages/create").then((m) => m.Edit)), true],
  ["statistics", later(() => import("./pages/statistics").then((m) => m.Statistics))],
  ["profiles", later(() => import("./pages/people").then((m) => m.Profiles))],
  ["profiles/*", later(() => import("./pages/profile").then((m) => m.ProfilePage))],
  ["segments", later(() => import("./pages/people").then((m) => m.Segments))],
  ["segments/*", later(() => import("./pages/segment").then((m) => m.SegmentPage))],
  ["new/segment", later(() => import("./pages/segment").then((m) => m.NewSegment))],
  ["send", later(() => import("./pages/send").then((m) => m.Send))],
  ["campaigns", later(() => import("./pages/campaigns").then((m) => m.Campaigns))],
  ["campaigns/*", later(() => import("./pages/campaigns").then((m) => m.CampaignPage))],
  ["new/campaign", later(() => import("./pages/campaigns").then((m) => m.NewCampaign))],
  ["event-types/*", later(() => import("./pages/eventtype").then((m) => m.EventTypePage))],
  ["new/event-type", later(() => import("./pages/eventtype").then((m) => m.NewEventType))],
  ["install/*", later(() => import("./pages/install").then((m) => m.Install))],
  ["event-types", later(() => import("./pages/setup").then((m) => m.EventTypes))],
  ["secrets", later(() => import("./pages/setup").then((m) => m.Secrets))],
  ["keys", later(() => import("./pages/setup").then((m) => m.Keys))],
  ["portal", later(() => import("./pages/portalpage").then((m) => m.PortalPage))],
  ["tenants", later(() => import("./pages/setup").then((m) => m.Tenants))],
];

function find(path: string[]): { Page: Page; id: string } | undefined {
  for (const [pattern, Page, forPortal] of pages) {
    const wanted = pattern === "" ? [] : pattern.split("/");
    if (portal && !forPortal) continue;
    if (wanted.length === path.length && wanted.every((w, i) => w === "*" || w === path[i])) return { Page, id: path.at(-1) ?? "" };
  }
  return undefined;
}

export function App() {
  const at = useRoute();
  const [, set] = useState(0);
  useEffect(() => session.listen(() => set((n) => n + 1)), []);
  if (!session.signedIn) return <SignIn />;
  const found = find(at.path);
  return (
    <>
      <Shell at={at}>
        {found ? <found.Page key={session.tenant + "/" + at.path.join("/")} route={at} id={found.id} /> : <><Heading title="404" /><Empty>{t("nothing.here")}</Empty></>}
      </Shell>
      {session.expired && <SignIn again />}
    </>
  );
}
