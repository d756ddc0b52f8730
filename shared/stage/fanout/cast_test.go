package fanout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// A cast is what takes part in a history of campaigns: computed attributes, two
// campaigns that share a cap, hold people out and have quiet hours, subscriptions
// with and without triggers, chains of events, and events of the past.
type cast struct {
	h         *history
	campaigns map[string]*bounds
	promo     *limited // the cap that both campaigns share; nil for none
	roles     []*role
	subjects  []string

	wakes []look // at profiles, by wake-ups
	sent  map[[2]string]message.FirstAttempt
	heard func(campaign string, percent int, subject string, heldOut bool) // of each who is sent to or held out; nil for nobody
}

// bounds are the rules of a campaign.
type bounds struct {
	id       string
	holdout  int
	caps     []limited // in the order in which they are asked
	quiet    *night
	audience bool // only those who consent
}

// limited is a cap.
type limited struct {
	Name string        `json:"-"`
	Max  int           `json:"max"`
	Per  time.Duration `json:"-"`
	Key  string        `json:"key"`
}

// night is when it is quiet: minutes since midnight.
type night struct {
	from, to int
	zone     string // or where it is
	skip     bool
}

// role is one subscription.
type role struct {
	id, campaign string
	types        []string
	shape        shape
	consents     bool // only of those who consent
	second       bool // only from the second study on
	emits        bool // an event, and makes no call
	sub          webhook.Subscription
}

// look is a reading of a subject's profile.
type look struct {
	subject string
	at      int // of how many entries of the log
	clock   time.Time
}

const hour = time.Hour

const orders = `"cancel":[{"types":["order"]}]`

// acts are the triggers of a cast.
var acts = []shape{
	{name: "bare"}, {name: "bare"},
	{name: "every", trigger: `{"every":2}`, every: 2},
	{name: "at", trigger: `{"at":2}`, at: 2},
	{name: "once", trigger: `{"once":true}`, once: true},
	{name: "once per", trigger: `{"once_per":"20h"}`, oncePer: 20 * hour},
	{name: "cap", trigger: `{"cap":{"max":2,"per":"30h"}}`, cap: 2, per: 30 * hour},
	{name: "restart", trigger: `{"delay":"3h",` + orders + `}`, delay: 3 * hour, cancels: true},
	{name: "keep", trigger: `{"delay":"5h","on_repeat":"keep",` + orders + `}`, delay: 5 * hour, keep: true, cancels: true},
	{name: "delayed once", trigger: `{"delay":"2h","once":true,` + orders + `}`, delay: 2 * hour, once: true, cancels: true},
}

// spring is when the histories of casts begin: the night in which Europe puts its
// clocks forward comes next.
var spring = time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)

// newCast is a history of campaigns.
func newCast(seed uint64, store storetest.Store) *history {
	h := &history{
		seed: seed, rand: rand.New(rand.NewPCG(seed, 2)), store: store, tenant: fmt.Sprintf("c%d", seed), shape: shape{name: "cast", tick: hour},
		clock: spring, byKey: map[string]*happening{}, sent: map[string]message.FirstAttempt{},
	}
	h.crashes = h.rand.IntN(7)
	c := &cast{h: h, sent: map[[2]string]message.FirstAttempt{}}
	h.cast = c
	for range 1 + h.rand.IntN(2) {
		c.subjects = append(c.subjects, fmt.Sprintf("u%d", h.rand.IntN(2000)))
	}
	if c.odds(2) {
		c.promo = c.limit("cap promo", 3)
	}
	c.campaigns = map[string]*bounds{"spring": c.bound("spring"), "summer": c.bound("summer")}
	c.roles = []*role{
		{id: "a", campaign: "spring", types: []string{"study"}, shape: c.act()},
		{id: "b", campaign: c.one("spring", "summer", "summer"), types: []string{"study", "chain"}, shape: c.act(), consents: c.odds(3), second: c.odds(3)},
		{id: "direct", types: []string{"study", "consent"}, shape: acts[0], second: true},
		{id: "emit", campaign: c.one("", "summer"), types: []string{"study"}, shape: acts[h.rand.IntN(5)], emits: true},
	}
	if c.odds(2) {
		c.roles = append(c.roles, &role{id: "alone", types: []string{"study"}, shape: c.act(), consents: true, second: c.odds(3)})
	}
	if c.odds(3) {
		c.roles = append(c.roles, &role{id: "loop", types: []string{"chain"}, shape: acts[0], emits: true})
	}
	return h
}

func (c *cast) odds(n int) bool         { return c.h.rand.IntN(n) == 0 }
func (c *cast) one(of ...string) string { return of[c.h.rand.IntN(len(of))] }
func (c *cast) act() shape              { return acts[c.h.rand.IntN(len(acts))] }

func (c *cast) limit(name string, most int) *limited {
	return &limited{Name: name, Max: 1 + c.h.rand.IntN(most), Per: time.Duration(4+c.h.rand.IntN(40)) * hour, Key: c.one("subject", "data.site")}
}

func (c *cast) bound(id string) *bounds {
	b := &bounds{id: id, holdout: []int{0, 30, 50}[c.h.rand.IntN(3)], audience: c.odds(4)}
	own := &limited{Name: "campaign " + id, Max: 1000, Per: hour, Key: "subject"} // so that there is a rule
	if c.odds(2) {
		own = c.limit(own.Name, 3)
	}
	b.caps = append(b.caps, *own)
	if c.promo != nil {
		b.caps = append(b.caps, *c.promo)
	}
	if c.odds(2) {
		b.quiet = &night{from: c.h.rand.IntN(24) * 60, zone: c.one("profile.tz", "data.tz", "Europe/Rome"), skip: c.odds(3)}
		b.quiet.to = (b.quiet.from + 60 + c.h.rand.IntN(14)*60) % (24 * 60)
	}
	return b
}

// rules are the computed attributes, of which the oracle has its own idea.
var rules = map[string]string{
	"n":       `{"types":["study"],"keep":"count"}`,
	"total":   `{"types":["study"],"keep":"sum","value":"data.sum"}`,
	"mode":    `{"types":["study"],"keep":"last","value":"data.mode"}`,
	"first":   `{"types":["study"],"keep":"first","value":"data.mode"}`,
	"modes":   `{"types":["study"],"keep":"set","value":"data.mode"}`,
	"consent": `{"types":["consent"],"keep":"last","value":"data.consent"}`,
	"tz":      `{"types":["consent"],"keep":"last","value":"data.tz"}`,
	"links":   `{"types":["chain"],"keep":"count"}`,
}

// spec is a campaign as it is written.
func (b *bounds) spec() json.RawMessage {
	tags := []string{"promo"}
	spec := map[string]any{"state": "live", "holdout": b.holdout, "tags": tags, "cap": b.caps[0].spec()}
	if b.audience {
		spec["audience"] = json.RawMessage(`{"profile":{"consent":[true]}}`)
	}
	if q := b.quiet; q != nil {
		quiet := map[string]string{"from": clockOf(q.from), "to": clockOf(q.to), "zone": q.zone}
		if q.skip {
			quiet["then"] = "skip"
		}
		spec["quiet"] = quiet
	}
	text, _ := json.Marshal(spec)
	return text
}

func clockOf(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func (l limited) spec() map[string]any {
	return map[string]any{"max": l.Max, "per": fmt.Sprintf("%dh", l.Per/hour), "key": l.Key}
}

// subscribe stores all that takes part.
func (c *cast) subscribe(ctx context.Context) error {
	s, t := c.h.store, c.h.tenant
	for _, name := range []string{"consent", "first", "links", "mode", "modes", "n", "total", "tz"} {
		if err := s.PutAttributeRule(ctx, webhook.AttributeRule{Tenant: t, Name: name, Spec: json.RawMessage(rules[name]), Generation: "g"}); err != nil {
			return err
		}
	}
	for _, id := range []string{"spring", "summer"} {
		if err := s.SaveCampaign(ctx, webhook.Campaign{Tenant: t, ID: id, Life: "life", Spec: c.campaigns[id].spec(), Revision: 1}); err != nil {
			return err
		}
	}
	if c.promo != nil {
		spec := c.promo.spec()
		spec["tags"] = []string{"promo"}
		text, _ := json.Marshal(spec)
		if err := s.SaveCap(ctx, webhook.Cap{Tenant: t, Name: "promo", Life: "life", Spec: text, Revision: 1}); err != nil {
			return err
		}
	}
	for _, r := range c.roles {
		if err := r.subscribe(ctx, s, t); err != nil {
			return err
		}
	}
	return s.PeopleChanged(ctx, t)
}

func (r *role) subscribe(ctx context.Context, s storetest.Store, tenant string) (err error) {
	sub := webhook.Subscription{
		Tenant: tenant, ID: r.id, Types: r.types, Campaign: r.campaign, Signing: "v1", State: webhook.Active, CreatedAt: spring, UpdatedAt: spring,
	}
	if r.shape.trigger != "" {
		sub.Trigger = json.RawMessage(r.shape.trigger)
	}
	profile := map[string]any{}
	if r.consents {
		profile["consent"] = []bool{true}
	}
	if r.second {
		profile["n"] = json.RawMessage(`[{"numeric":[">=",2]}]`)
	}
	if len(profile) > 0 {
		sub.Filter, _ = json.Marshal(map[string]any{"profile": profile})
	}
	if r.emits {
		sub.Emit = &webhook.Emit{On: webhook.EmitOnFire, Type: "chain", Data: json.RawMessage(
			`{"v":1,"by":"` + r.id + `","of":"{{ event.source }} {{ event.id }}","site":"{{ data.site }}","tz":"{{ data.tz }}"}`)}
	} else {
		sub.URL = "https://a.example"
		sub.Request = &webhook.RequestSpec{Require: []string{"data.v"}, Body: json.RawMessage(`{"n":"{{ profile.n }}"}`)}
	}
	r.sub, err = s.SaveSubscription(ctx, sub, 0)
	return err
}
