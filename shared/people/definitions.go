package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// Limits of what a tenant defines.
const (
	MaxRules    = 100
	MaxSegments = 100
	MaxWeight   = 1 << 20 // bytes of memory that all of them take
	maxSubjects = 10      // whose profiles one event changes
)

// definitionWeight is what a definition takes beside its pattern, in bytes.
const definitionWeight = 2 << 10

// Definitions are a tenant's rules and segments, compiled; nil are none.
type Definitions struct {
	rules    []*Rule
	known    map[string]webhook.AttributeRule
	segments []segmentOf

	campaigns map[string]*campaign.Campaign
}

// segmentOf is a compiled segment.
type segmentOf struct {
	id     string
	filter *pattern.Pattern
}

// Source is where definitions are stored.
type Source interface {
	// AttributeRules and Segments return up to limit of a tenant's, consistently.
	AttributeRules(ctx context.Context, tenant string, limit int) ([]webhook.AttributeRule, error)
	Segments(ctx context.Context, tenant string, limit int) ([]webhook.Segment, error)
}

// ReadAll reads the rules and segments of a tenant.
func ReadAll(ctx context.Context, from Source, tenant string) ([]webhook.AttributeRule, []webhook.Segment, error) {
	rules, err := from.AttributeRules(ctx, tenant, MaxRules)
	if err != nil {
		return nil, nil, fmt.Errorf("read computed attributes of %s: %w", tenant, err)
	}
	segments, err := from.Segments(ctx, tenant, MaxSegments)
	if err != nil {
		return nil, nil, fmt.Errorf("read segments of %s: %w", tenant, err)
	}
	return rules, segments, nil
}

// Define compiles what is stored. What cannot be compiled, which is a fault of
// ours, is left out and returned as an error beside the rest.
func Define(rules []webhook.AttributeRule, segments []webhook.Segment) (*Definitions, error) {
	d, errs := &Definitions{known: map[string]webhook.AttributeRule{}}, []error{}
	for _, stored := range rules {
		d.known[stored.Name] = stored
		if stored.Kept {
			continue
		}
		r, err := Compile(stored)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d.rules = append(d.rules, r)
	}
	for _, s := range segments {
		p, err := pattern.CompileOver(pattern.OfProfiles, s.Filter, "filter")
		if err != nil {
			errs = append(errs, fmt.Errorf("segment %s of %s: %w", s.ID, s.Tenant, err))
			continue
		}
		d.segments = append(d.segments, segmentOf{s.ID, p})
	}
	return d, errors.Join(errs...)
}

// CampaignSource is where campaigns and caps are stored.
type CampaignSource interface {
	// Campaigns returns up to limit campaigns and caps of a tenant in all,
	// consistently, campaigns by id and caps by name.
	Campaigns(ctx context.Context, tenant string, limit int) ([]webhook.Campaign, []webhook.Cap, error)
}

// Join adds a tenant's campaigns to its definitions. What cannot be compiled, which
// is a fault of ours, is left out, and returned as the error wrong.
func (d *Definitions) Join(ctx context.Context, from CampaignSource, tenant string) (wrong, err error) {
	campaigns, caps, err := from.Campaigns(ctx, tenant, campaign.MaxCampaigns+campaign.MaxCaps)
	if err != nil {
		return nil, fmt.Errorf("read campaigns of %s: %w", tenant, err)
	}
	all, errs := campaign.Compile(campaigns, caps)
	d.campaigns = all
	return errors.Join(errs...), nil
}

// Campaign returns a campaign; nil if there is none of that id.
func (d *Definitions) Campaign(id string) *campaign.Campaign {
	if d == nil || id == "" {
		return nil
	}
	return d.campaigns[id]
}

// Campaigns are all of them, by id.
func (d *Definitions) Campaigns() map[string]*campaign.Campaign {
	if d == nil {
		return nil
	}
	return d.campaigns
}

// Weight is about how many bytes of memory the definitions take.
func (d *Definitions) Weight() (n int) {
	if d == nil {
		return 0
	}
	for _, r := range d.rules {
		n += r.weight()
	}
	for _, s := range d.segments {
		n += definitionWeight + s.filter.Weight()
	}
	for _, c := range d.campaigns {
		n += c.Weight()
	}
	return n + definitionWeight*(len(d.known)-len(d.rules))
}

// Computed are the names that cannot be written by hand.
func (d *Definitions) Computed() map[string]bool {
	names := map[string]bool{}
	if d == nil {
		return names
	}
	for name, r := range d.known {
		if !r.Kept {
			names[name] = true
		}
	}
	return names
}

// Has reports whether there is a segment of that id.
func (d *Definitions) Has(segment string) bool {
	return d != nil && slices.ContainsFunc(d.segments, func(s segmentOf) bool { return s.id == segment })
}

// counts reports whether what was computed for a generation of an attribute is
// shown.
func (d *Definitions) counts(name, generation string) bool {
	if d == nil {
		return false
	}
	r, known := d.known[name]
	return known && r.Generation == generation
}

// SegmentsOf lists the segments that a subject is in.
func (d *Definitions) SegmentsOf(subject string, v View) ([]string, error) {
	in := []string{}
	if d == nil || len(d.segments) == 0 {
		return in, nil
	}
	decoded, err := pattern.Decode(pattern.Envelope{Subject: subject, HasSubject: subject != "", Profile: v.Attributes})
	if err != nil {
		return nil, fmt.Errorf("decode a profile: %w", err)
	}
	for _, s := range d.segments {
		if s.filter.Match(decoded) {
			in = append(in, s.id)
		}
	}
	return in, nil
}

// Meets reports whether a profile meets a pattern over [pattern.OfProfiles].
func (d *Definitions) Meets(filter *pattern.Pattern, p webhook.Profile) (bool, error) {
	v, err := d.ViewOf(p)
	if err != nil {
		return false, err
	}
	decoded, err := pattern.Decode(pattern.Envelope{Subject: p.Subject, HasSubject: true, Profile: v.Attributes})
	if err != nil {
		return false, fmt.Errorf("decode a profile: %w", err)
	}
	return filter.Match(decoded), nil
}

// Effects are what an event does to profiles, by subject.
type Effects struct {
	event    webhook.Event
	subjects []string // sorted
	effects  []effect
}

// Effects returns what an event does by the tenant's rules.
func (d *Definitions) Effects(e webhook.Event, decoded *pattern.Event) Effects {
	all := Effects{event: e}
	if d == nil {
		return all
	}
	for _, r := range d.rules {
		found, ok := r.effect(e, decoded)
		if !ok {
			continue
		}
		if at, known := slices.BinarySearch(all.subjects, found.subject); !known {
			if len(all.subjects) == maxSubjects {
				continue
			}
			all.subjects = slices.Insert(all.subjects, at, found.subject)
		}
		all.effects = append(all.effects, found)
	}
	return all
}

// Subjects are those whose profiles the event changes.
func (f Effects) Subjects() []string { return f.subjects }

// Apply returns a profile as the event makes it, with its next revision. What
// would make it too large is left out, and noted.
func (f Effects) Apply(d *Definitions, p webhook.Profile) (webhook.Profile, error) {
	computed, err := decodeKept(p)
	if err != nil {
		return p, err
	}
	for name, k := range computed {
		if !d.counts(name, k.Generation) {
			delete(computed, name) // of a rule that is no more
		}
	}
	encoded := p.Computed
	for _, e := range f.effects {
		if e.subject != p.Subject {
			continue
		}
		if encoded, err = applied(computed, e, f.event); err != nil {
			return p, err
		}
	}
	p.Computed, p.UpdatedAt = encoded, f.event.AcceptedAt
	p.Revision++
	return p, nil
}

// applied carries out one effect, unless what is computed would be too large.
func applied(computed map[string]*kept, e effect, event webhook.Event) (json.RawMessage, error) {
	before := computed[e.rule.Name]
	now := &kept{Generation: e.rule.Generation}
	if before != nil && before.Generation == e.rule.Generation {
		copied := *before
		copied.Set = slices.Clone(before.Set)
		now = &copied
	}
	e.rule.keep.apply(now, e.value, event)
	computed[e.rule.Name] = now
	encoded, err := json.Marshal(computed)
	if err != nil || len(encoded) <= 2*MaxSize {
		return encoded, err
	}
	if before == nil {
		before = &kept{Generation: e.rule.Generation}
	}
	before.Full = true
	computed[e.rule.Name] = before
	return json.Marshal(computed)
}
