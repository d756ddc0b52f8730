package record

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// group is one item for the deliveries of one [webhook.Group]. It says what
// became of those that succeeded at once, and of the others that they have an
// item of their own. It decides who is the first to write a delivery; what that
// is from then on, an item of its own says if there is one.
type group struct {
	rev     int64
	entries map[string]entry // by delivery id
}

// entry is what a group knows of a delivery.
type entry struct {
	ID       string            `json:"i"`
	Own      bool              `json:"o,omitempty"` // look for an item of its own
	Event    string            `json:"e,omitempty"` // its id; "" if no more is known
	Source   string            `json:"s,omitempty"`
	Type     string            `json:"y,omitempty"`
	Sub      string            `json:"u,omitempty"`
	Version  int64             `json:"v,omitempty"`
	Count    int               `json:"n,omitempty"`
	Digest   string            `json:"d,omitempty"` // base64: shorter than hex
	Started  int64             `json:"a,omitempty"` // ms after the delivery came to be owed
	Ended    int64             `json:"z,omitempty"` // ms after that
	Duration int64             `json:"t,omitempty"`
	Code     int               `json:"c,omitempty"`
	Manual   bool              `json:"m,omitempty"`
	Response *webhook.Response `json:"r,omitempty"`
}

// groupKey is where a delivery's group stands; false if it has none.
func groupKey(tenant, id string) (table.Key, bool) {
	created, tag, err := webhook.ParseDeliveryID(id)
	its := webhook.GroupOf(id)
	if err != nil || its == 0 {
		return table.Key{}, false
	}
	return at(groupKind, tenant, tag+separator+spanOf(created)+separator+strconv.FormatUint(uint64(its), 36)), true
}

// spanOf begins the keys of the groups of about that time.
func spanOf(created time.Time) string {
	return fmt.Sprintf("%011d", max(webhook.GroupSpan(created), 0))
}

// outcomeOf returns what a group is to know of a delivery that is written for the
// first time.
func outcomeOf(d webhook.Delivery) entry {
	own := entry{ID: d.ID, Own: true}
	digest, err := hex.DecodeString(d.Digest)
	if err != nil || d.Status != webhook.Succeeded || d.Last == nil {
		return own
	}
	e := entry{
		ID: d.ID, Event: d.EventID, Source: d.EventSource, Type: d.EventType, Sub: d.Subscription, Version: d.Version, Count: d.Count,
		Digest:  base64.RawStdEncoding.EncodeToString(digest),
		Started: d.Last.StartedAt.Sub(d.CreatedAt).Milliseconds(), Ended: d.EndedAt.Sub(d.Last.StartedAt).Milliseconds(),
		Duration: d.Last.DurationMS, Code: d.Last.StatusCode, Manual: d.Last.Manual, Response: d.Last.Response,
	}
	if !e.tellsAllOf(d) {
		return own
	}
	return e
}

// tellsAllOf reports whether nothing of a delivery is lost.
func (e entry) tellsAllOf(d webhook.Delivery) bool {
	told := e.delivery(d.Tenant)
	last, was := *told.Last, *d.Last
	if !told.CreatedAt.Equal(d.CreatedAt) || !told.EndedAt.Equal(d.EndedAt) || !last.StartedAt.Equal(was.StartedAt) {
		return false
	}
	last.Response, last.StartedAt, was.Response, was.StartedAt = nil, time.Time{}, nil, time.Time{}
	told.Last, told.CreatedAt, told.EndedAt, d.Last, d.CreatedAt, d.EndedAt = nil, time.Time{}, time.Time{}, nil, time.Time{}, time.Time{}
	d.Rev = told.Rev
	return e.Event != "" && told == d && last == was
}

// delivery is the delivery that an entry tells all of.
func (e entry) delivery(tenant string) webhook.Delivery {
	created, _, _ := webhook.ParseDeliveryID(e.ID)
	started := created.Add(time.Duration(e.Started) * time.Millisecond)
	digest, _ := base64.RawStdEncoding.DecodeString(e.Digest)
	return webhook.Delivery{
		Tenant: tenant, ID: e.ID, EventID: e.Event, EventSource: e.Source, EventType: e.Type, Subscription: e.Sub, Version: e.Version, Count: e.Count,
		Status: webhook.Succeeded, Attempts: 1, CreatedAt: created, EndedAt: started.Add(time.Duration(e.Ended) * time.Millisecond),
		Digest: hex.EncodeToString(digest), Rev: 1,
		Last: &webhook.Attempt{
			Number: 1, Manual: e.Manual, StartedAt: started, DurationMS: e.Duration, StatusCode: e.Code, Response: e.Response,
		},
	}
}

// ofGroup returns what a group knows of a delivery, or [webhook.ErrNotFound].
func (s *Store) ofGroup(ctx context.Context, tenant, id string) (webhook.Delivery, error) {
	its, grouped := groupKey(tenant, id)
	if !grouped {
		return webhook.Delivery{}, webhook.ErrNotFound
	}
	g, err := s.groupAt(ctx, its)
	if err != nil {
		return webhook.Delivery{}, err
	}
	if e := g.entries[id]; e.Event != "" {
		return e.delivery(tenant), nil
	}
	return webhook.Delivery{}, webhook.ErrNotFound
}

// groupAt reads a group. One that is not there has no entries.
func (s *Store) groupAt(ctx context.Context, key table.Key) (group, error) {
	it, err := s.alive(ctx, key)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return group{}, err
	}
	return readGroup(it)
}

// groupOutcomes is the field of a group's entries.
const groupOutcomes = "os"

func readGroup(it table.Item) (group, error) {
	g := group{rev: it.Fields.Int(revision), entries: map[string]entry{}}
	packed := it.Fields.Bytes(groupOutcomes)
	if len(packed) == 0 {
		return g, nil
	}
	var list []entry
	text, err := unpackOutcomes(packed)
	if err != nil || json.Unmarshal(text, &list) != nil { // whose error may quote what is stored
		return g, errBulk
	}
	for _, e := range list {
		g.entries[e.ID] = e
	}
	return g, nil
}

// putGroup stores a group over the one of its revision.
func (s *Store) putGroup(ctx context.Context, key table.Key, g group) error {
	list := make([]entry, 0, len(g.entries))
	for _, e := range g.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.ID, b.ID) })
	text, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("encode outcomes: %w", err)
	}
	return s.putRevision(ctx, table.Item{
		Key: key, Fields: table.Fields{groupOutcomes: packOutcomes(text), revision: g.rev + 1}, Expires: s.in(s.Retention),
	}, g.rev)
}

// putRevision stores an item over the one of that revision, 0 for none.
func (s *Store) putRevision(ctx context.Context, it table.Item, rev int64) error {
	still := s.unless()
	if rev > 0 {
		still = table.Equal(revision, rev)
	}
	_, _, err := s.table.Put(ctx, it, table.How{If: still})
	return conflict(err)
}
