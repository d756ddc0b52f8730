import type { components } from "./schema";

type Schemas = components["schemas"];
export type Event = Schemas["Event"];
export type EventDetail = Schemas["EventDetail"];
export type Delivery = Schemas["Delivery"];
export type DeliveryDetail = Schemas["DeliveryDetail"];
export type Attempt = Schemas["Attempt"];
export type Subscription = Schemas["Subscription"];
export type Job = Schemas["Job"];
export type Stats = Schemas["Stats"];
export type Preview = Schemas["Preview"];
export type Profile = Schemas["Profile"];
export type Segment = Schemas["Segment"];
export type Attribute = Schemas["Attribute"];
export type APIKey = Schemas["APIKey"];
export type NamedSecret = Schemas["NamedSecret"];
export type EventType = Schemas["EventTypeSummary"];
export type Tenant = Schemas["Tenant"];
export type Health = Schemas["Health"];
export type Reason = Schemas["Reason"];
export type Trigger = Schemas["Trigger"];
export type Problem = Schemas["Problem"];

export type List<T> = { data: T[]; next_cursor: string | null };
