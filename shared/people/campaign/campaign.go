// Package campaign reads campaigns, and caps that several of them share: when and to
// whom the subscriptions of a campaign send, how often in all, who is held out to
// compare, and what counts as a success.
package campaign

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// State is what the owner of a campaign wants of it.
type State string

// The states of a campaign.
const (
	Draft   State = "draft"   // nothing is sent but tests
	Live    State = "live"    // between its start and its end
	Stopped State = "stopped" // nothing is sent, and what waits is dropped
)

// Limits of what a tenant has of campaigns.
const (
	MaxCampaigns = 100
	MaxCaps      = 20
	MaxTagCaps   = 4 // caps that bound one campaign, beside its own
	maxName      = 200
	maxTags      = 20
	maxHoldout   = 50
)

// Campaign is a campaign, compiled. It is safe for concurrent use.
type Campaign struct {
	ID       string
	Life     string
	Name     string
	Tags     []string
	State    State
	StartsAt time.Time        // zero: at once
	EndsAt   time.Time        // zero: never
	Audience *pattern.Pattern // of profile and segment; nil: everybody
	Goal     *Goal            // nil: nothing counts as a success

	audience json.RawMessage
	holdout  int // of 10,000 people
	cap      *trigger.Shared
	quiet    *quiet.Hours
	common   *trigger.Common // nil: its subscriptions ask nothing but their own triggers
}

// Goal is what a campaign is to achieve.
type Goal struct {
	Types  []string
	Filter *pattern.Pattern // nil: every event of these types
	Within time.Duration    // of what was sent
	Value  *pattern.Path    // of the number that a conversion is worth; nil: they are only counted
}

// Meets reports whether an event is the campaign's goal.
func (g *Goal) Meets(eventType string, e *pattern.Event) bool {
	return g != nil && pattern.TypesMatch(g.Types, eventType) && (g.Filter == nil || g.Filter.Match(e))
}

// Closed tells why nothing is sent of the campaign at a time; "" if it may be.
func (c *Campaign) Closed(now time.Time) webhook.Reason {
	switch {
	case c.State == Stopped:
		return webhook.ReasonEnded
	case c.State != Live, now.Before(c.StartsAt):
		return webhook.ReasonNotStarted
	case !c.EndsAt.IsZero() && !now.Before(c.EndsAt):
		return webhook.ReasonEnded
	}
	return ""
}

// Common are the rules that its subscriptions share, nil for none.
func (c *Campaign) Common() *trigger.Common { return c.common }

// AudienceFilter is the audience as it was written; nil for everybody.
func (c *Campaign) AudienceFilter() json.RawMessage { return c.audience }

// SubjectKeys names the states that are an event's subject's own of what the campaign
// keeps, as the event tells them. They have no Part. A nil Campaign keeps nothing.
func (c *Campaign) SubjectKeys(e webhook.Event, d *pattern.Event) []webhook.StateRef {
	if c == nil || e.Subject == "" {
		return nil
	}
	kept := trigger.Common{Campaign: c.ID, Life: c.Life} // a goal that it had, too
	if c.common != nil {
		kept.Caps = c.common.Caps
	}
	return kept.SubjectKeys(e, d)
}

// ReadsProfile reports whether what is decided for its subscriptions depends on the
// profile of the event's subject.
func (c *Campaign) ReadsProfile() bool { return c.Audience != nil || c.quiet.ReadsProfile() }

// Weight is about how many bytes of memory the campaign takes.
func (c *Campaign) Weight() int {
	const bare = 2 << 10
	n := bare
	for _, p := range []*pattern.Pattern{c.Audience, c.goalFilter()} {
		if p != nil {
			n += p.Weight()
		}
	}
	return n
}

func (c *Campaign) goalFilter() *pattern.Pattern {
	if c.Goal == nil {
		return nil
	}
	return c.Goal.Filter
}

// Cap is a cap that campaigns with a tag share, compiled.
type Cap struct {
	Name   string
	Tags   []string
	shared *trigger.Shared
}

// Bounds reports whether the cap counts what the campaign sends.
func (p *Cap) Bounds(c *Campaign) bool {
	return slices.ContainsFunc(p.Tags, func(tag string) bool { return slices.Contains(c.Tags, tag) })
}

// Compile reads what was stored. What cannot be read, which is a fault of ours, is
// left out and returned as an error beside the rest.
func Compile(campaigns []webhook.Campaign, caps []webhook.Cap) (map[string]*Campaign, []error) {
	all, errs := map[string]*Campaign{}, []error{}
	var shared []*Cap
	for _, stored := range caps {
		c, faults := ReadCap(stored.Name, strictjson.Value(stored.Spec))
		if len(faults) > 0 {
			errs = append(errs, fmt.Errorf("cap %s of %s: %s: %s", stored.Name, stored.Tenant, faults[0].Field, faults[0].Detail))
			continue
		}
		c.shared.Life = stored.Life
		shared = append(shared, c)
	}
	for _, stored := range campaigns {
		c, faults := Read(stored.ID, strictjson.Value(stored.Spec))
		if len(faults) > 0 {
			errs = append(errs, fmt.Errorf("campaign %s of %s: %s: %s", stored.ID, stored.Tenant, faults[0].Field, faults[0].Detail))
			continue
		}
		c.begin(stored.Life, shared)
		all[c.ID] = c
	}
	return all, errs
}

// begin completes a campaign with what it shares.
func (c *Campaign) begin(life string, caps []*Cap) {
	c.Life = life
	common := &trigger.Common{Campaign: c.ID, Life: life, Holdout: c.holdout, Quiet: c.quiet}
	if c.Goal != nil {
		common.Goal = c.Goal.Within
	}
	if c.cap != nil {
		own := *c.cap
		own.Life = life
		common.Caps = append(common.Caps, &own)
	}
	for _, p := range caps {
		if p.Bounds(c) && len(common.Caps) < MaxTagCaps+1 {
			common.Caps = append(common.Caps, p.shared)
		}
	}
	if common.Asks() {
		c.common = common
	}
}

// TooMany names a campaign that more caps bound than may; "" if there is none.
func TooMany(campaigns []webhook.Campaign, caps []webhook.Cap) string {
	var shared []*Cap
	for _, stored := range caps {
		if c, faults := ReadCap(stored.Name, strictjson.Value(stored.Spec)); len(faults) == 0 {
			shared = append(shared, c)
		}
	}
	for _, stored := range campaigns {
		c, faults := Read(stored.ID, strictjson.Value(stored.Spec))
		n := 0
		for _, p := range shared {
			if len(faults) == 0 && p.Bounds(c) {
				n++
			}
		}
		if n > MaxTagCaps {
			return c.ID
		}
	}
	return ""
}
