package localstore

// schema is the history of the tables; see [localdb.DB.Migrate]. Times are
// RFC 3339 text in UTC, or whole milliseconds since 1970 where they are keys.
var schema = []string{`
CREATE TABLE tenants (
	tenant  TEXT NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL -- its change counter
) WITHOUT ROWID;

CREATE TABLE changes (
	tenant       TEXT NOT NULL,
	version      INTEGER NOT NULL,
	subscription TEXT NOT NULL,
	PRIMARY KEY (tenant, version)
) WITHOUT ROWID;

CREATE TABLE subscriptions ( -- as they are now
	tenant  TEXT NOT NULL,
	id      TEXT NOT NULL,
	version INTEGER NOT NULL,
	born    INTEGER NOT NULL, -- version of its creation
	state   TEXT NOT NULL,
	types   TEXT,             -- JSON
	filter  TEXT,             -- JSON
	epoch   INTEGER NOT NULL, -- of the trigger's state
	cancels TEXT,             -- JSON: the trigger's cancel clauses
	PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

CREATE TABLE subscription_versions ( -- as they were decided by; never changed
	tenant  TEXT NOT NULL,
	id      TEXT NOT NULL,
	version INTEGER NOT NULL,
	born    INTEGER NOT NULL,
	body    TEXT NOT NULL, -- JSON
	secrets TEXT NOT NULL, -- JSON; sealed
	PRIMARY KEY (tenant, id, version)
) WITHOUT ROWID;

CREATE TABLE events (
	tenant      TEXT NOT NULL,
	accepted_at INTEGER NOT NULL, -- ms
	key         TEXT NOT NULL,    -- hash of source and id
	type        TEXT NOT NULL,
	source      TEXT NOT NULL,
	id          TEXT NOT NULL,
	subject     TEXT NOT NULL,
	time        TEXT,
	nonce       TEXT NOT NULL,    -- of the accepted publication
	expunged    INTEGER NOT NULL,
	extensions  TEXT,             -- JSON
	plan        TEXT NOT NULL,    -- JSON: who gets it
	data        BLOB,             -- JSON as published
	PRIMARY KEY (tenant, accepted_at, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX events_by_key ON events (tenant, key);

CREATE TABLE plan_pages ( -- of plans too large to stand in the event
	tenant  TEXT NOT NULL,
	event   TEXT NOT NULL, -- its key
	nonce   TEXT NOT NULL,
	page    INTEGER NOT NULL,
	entries TEXT NOT NULL, -- JSON
	PRIMARY KEY (tenant, event, nonce, page)
) WITHOUT ROWID;

CREATE TABLE deliveries (
	tenant        TEXT NOT NULL,
	id            TEXT NOT NULL,    -- in order of created_at
	event_source  TEXT NOT NULL,
	event_id      TEXT NOT NULL,
	subscription  TEXT NOT NULL,
	version       INTEGER NOT NULL, -- of the subscription when it was decided
	occasion      TEXT NOT NULL,
	occurrence    INTEGER NOT NULL, -- how often the trigger's key had occurred
	created_at    INTEGER NOT NULL, -- ms: the event's acceptance, or when its replay was asked for
	status        TEXT NOT NULL,
	waiting       TEXT NOT NULL,
	reason        TEXT NOT NULL,
	detail        TEXT NOT NULL,    -- the reason in words
	round         INTEGER NOT NULL,
	step          INTEGER NOT NULL,
	next_at       TEXT,
	attempts      INTEGER NOT NULL, -- how many were made
	ended_at      TEXT,
	waiting_since TEXT,
	digest        TEXT NOT NULL,
	last          TEXT,             -- JSON: the newest attempt
	claim         TEXT NOT NULL,    -- token of the worker that makes the attempt
	claim_until   TEXT,
	rev           INTEGER NOT NULL, -- count of writes
	PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE INDEX deliveries_by_subscription ON deliveries (tenant, subscription, id);
CREATE INDEX deliveries_by_status ON deliveries (tenant, status, id) WHERE status <> 'succeeded';
CREATE INDEX deliveries_by_both ON deliveries (tenant, subscription, status, id) WHERE status <> 'succeeded';

CREATE TABLE attempts ( -- of deliveries that did not succeed at once
	tenant   TEXT NOT NULL,
	delivery TEXT NOT NULL,
	number   INTEGER NOT NULL,
	body     TEXT NOT NULL, -- JSON
	PRIMARY KEY (tenant, delivery, number)
) WITHOUT ROWID;

CREATE TABLE contents ( -- likewise: what is posted
	tenant       TEXT NOT NULL,
	delivery     TEXT NOT NULL,
	method       TEXT NOT NULL,
	content_type TEXT NOT NULL,
	inserts      TEXT NOT NULL, -- JSON: where secrets go in
	body         BLOB NOT NULL,
	PRIMARY KEY (tenant, delivery)
) WITHOUT ROWID;

CREATE TABLE lines ( -- deliveries that wait for their subscription to open
	tenant       TEXT NOT NULL,
	subscription TEXT NOT NULL,
	delivery     TEXT NOT NULL,
	PRIMARY KEY (tenant, subscription, delivery)
) WITHOUT ROWID;

CREATE TABLE leases ( -- who does a work alone, until when
	tenant       TEXT NOT NULL,
	subscription TEXT NOT NULL,
	work         TEXT NOT NULL,
	token        TEXT NOT NULL,
	until        TEXT NOT NULL,
	PRIMARY KEY (tenant, subscription, work)
) WITHOUT ROWID;

CREATE TABLE dues ( -- what must be looked at at a time
	at           TEXT NOT NULL,
	kind         TEXT NOT NULL,
	tenant       TEXT NOT NULL,
	subscription TEXT NOT NULL,
	id           TEXT NOT NULL,
	round        INTEGER NOT NULL,
	step         INTEGER NOT NULL,
	PRIMARY KEY (at, kind, tenant, subscription, id, round, step)
) WITHOUT ROWID;

CREATE TABLE trigger_state ( -- what triggers have counted, claimed and set timers for
	tenant       TEXT NOT NULL,
	subscription TEXT NOT NULL,
	epoch        INTEGER NOT NULL,
	key          TEXT NOT NULL, -- hash
	part         TEXT NOT NULL,
	rev          INTEGER NOT NULL, -- count of writes
	expires      TEXT,
	data         TEXT NOT NULL, -- JSON
	PRIMARY KEY (tenant, subscription, epoch, key, part)
) WITHOUT ROWID;

CREATE TABLE marks ( -- low_water: the minute before which nothing is due
	name TEXT NOT NULL PRIMARY KEY,
	at   TEXT NOT NULL
) WITHOUT ROWID;
`, `
CREATE TABLE items ( -- API keys, secrets, event types, jobs; see package noun
	partition TEXT NOT NULL,
	sort      TEXT NOT NULL,
	fields    TEXT NOT NULL, -- JSON
	expires   TEXT,          -- when it may be removed
	PRIMARY KEY (partition, sort)
) WITHOUT ROWID;
`, `
ALTER TABLE subscriptions ADD COLUMN health TEXT; -- JSON: of this version, if not all is well

CREATE TABLE tallies ( -- attempts to a subscriber that fails, by window of time
	tenant       TEXT NOT NULL,
	subscription TEXT NOT NULL,
	window       INTEGER NOT NULL, -- Unix seconds
	attempts     INTEGER NOT NULL,
	failed       INTEGER NOT NULL,
	PRIMARY KEY (tenant, subscription, window)
) WITHOUT ROWID;

CREATE TABLE reservations ( -- until when a subscriber's time is taken, under its rate limit
	tenant       TEXT NOT NULL,
	subscription TEXT NOT NULL,
	until        INTEGER NOT NULL, -- Unix nanoseconds
	PRIMARY KEY (tenant, subscription)
) WITHOUT ROWID;
`, `
CREATE TABLE replays ( -- whom an event matched when it was sent again
	tenant TEXT NOT NULL,
	event  TEXT NOT NULL, -- key
	id     TEXT NOT NULL,
	plan   TEXT NOT NULL, -- JSON
	PRIMARY KEY (tenant, event, id)
) WITHOUT ROWID;
`, `
CREATE INDEX deliveries_by_occasion ON deliveries (tenant, event_source, event_id, id) WHERE occasion <> '';
`, `
-- keep is the time before which an event's data must not be removed.
ALTER TABLE events ADD COLUMN keep TEXT;
`, `
CREATE TABLE stats ( -- what became of deliveries, for graphs
	tenant       TEXT NOT NULL,
	subscription TEXT NOT NULL,    -- '' for the whole tenant
	hour         INTEGER NOT NULL, -- Unix
	counts       TEXT NOT NULL,    -- JSON: by name
	PRIMARY KEY (tenant, subscription, hour)
) WITHOUT ROWID;
`, `
ALTER TABLE tenants ADD COLUMN known INTEGER NOT NULL DEFAULT 1; -- 0 once deleted: its counter goes on
ALTER TABLE tenants ADD COLUMN gone_began TEXT;                 -- its last deletion
ALTER TABLE tenants ADD COLUMN gone_ended TEXT;
`, `
ALTER TABLE subscriptions ADD COLUMN heavy INTEGER NOT NULL DEFAULT 0;   -- bytes that its filters take beyond what is free
ALTER TABLE tenants ADD COLUMN subscriptions INTEGER NOT NULL DEFAULT 0; -- how many it has
ALTER TABLE tenants ADD COLUMN heavy INTEGER NOT NULL DEFAULT 0;         -- of all of them
UPDATE tenants SET subscriptions = (SELECT count(*) FROM subscriptions s WHERE s.tenant = tenants.tenant);
`, `
ALTER TABLE items ADD COLUMN partition1 TEXT; -- where the first index has it
ALTER TABLE items ADD COLUMN sort1 TEXT;
ALTER TABLE items ADD COLUMN partition2 TEXT;
ALTER TABLE items ADD COLUMN sort2 TEXT;
CREATE INDEX items_by_first ON items (partition1, sort1) WHERE partition1 IS NOT NULL;
CREATE INDEX items_by_second ON items (partition2, sort2) WHERE partition2 IS NOT NULL;
`, `
-- Their rows are items now; no release had them here.
DROP TABLE stats;
DROP TABLE leases;
DROP TABLE tallies;
DROP TABLE reservations;
DROP TABLE dues;
DROP TABLE marks;
`, `
CREATE INDEX events_by_subject ON events (tenant, subject, accepted_at, key) WHERE subject <> '';
`, `
-- at is when a replay was asked for, in ms.
ALTER TABLE replays ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
`, `
-- people counts the changes of a tenant's attributes and segments. profile is that
-- of an event's subject as fan-out read it, JSON; NULL if nobody asked.
ALTER TABLE tenants ADD COLUMN people INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN profile TEXT;
`}
