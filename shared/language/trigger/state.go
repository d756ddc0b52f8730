package trigger

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// counter is the part C.
type counter struct {
	N     int64   `json:"n"`               // occurrences so far
	Fired bool    `json:"fired,omitempty"` // at has had its firing
	Times []int64 `json:"t,omitempty"`     // with within: occurrences not used up, microseconds since 1970, ascending
}

// mark is a part M#…: what was decided.
type mark struct {
	Event   string         `json:"e"` // key of the event that it was decided for
	Source  string         `json:"s"`
	ID      string         `json:"i"`
	Order   uint32         `json:"q,omitempty"` // of the event
	Version int64          `json:"v"`           // of the subscription: by which it began, or by which it was decided
	Count   int64          `json:"n,omitempty"`
	Due     time.Time      `json:"due,omitzero"` // of a start
	Outcome webhook.Reason `json:"o,omitempty"`  // sent, or why not; "" while it waits for its delay
	At      time.Time      `json:"at"`           // our clock
	By      string         `json:"b,omitempty"`  // of the outcome cap: which, if several subscriptions share it
	Quiet   bool           `json:"w,omitempty"`  // it waits until quiet hours are over, at Due
	Failed  []failure      `json:"x,omitempty"`  // with distinct: events of the value that could not be rendered, before this one
}

// failure is an event for which nothing could be rendered.
type failure struct {
	Event  string         `json:"e"`
	Reason webhook.Reason `json:"o"`
	Count  int64          `json:"n,omitempty"`
}

// sent is the outcome of what led to a delivery.
const sent webhook.Reason = "sent"

// claim is the part ONCE.
type claim struct {
	Event    string    `json:"e"`
	Delivery string    `json:"d"`
	At       time.Time `json:"at"` // our clock
}

// ledger is the part CAP.
type ledger struct {
	Claims []claim `json:"c"` // by the time at which they were made
}

// part is one part of the state, as read and as it shall be.
type part[T any] struct {
	item  webhook.StateItem
	value T
	until time.Time // how long to keep what was set; zero if nothing was
}

// exists reports whether anything is known: nothing is of a part that has
// expired, although it may still be stored.
func (p *part[T]) exists() bool { return p.item.Rev > 0 && len(p.item.Data) > 0 }

func (p *part[T]) set(v T, until time.Time) { p.value, p.until = v, until }

func (p *part[T]) decode(item webhook.StateItem) error {
	p.item = item
	if !p.exists() {
		return nil
	}
	if json.Unmarshal(item.Data, &p.value) != nil { // whose error may quote what is stored
		return fmt.Errorf("part %s of the state of subscription %s of %s is not what we wrote", item.Part, item.Subscription, item.Tenant)
	}
	return nil
}

// changed appends the item to store, if there is anything to.
func (p *part[T]) changed(items []webhook.StateItem) ([]webhook.StateItem, error) {
	if p.until.IsZero() {
		return items, nil
	}
	data, err := json.Marshal(p.value)
	if err != nil {
		return nil, fmt.Errorf("encode part %s: %w", p.item.Part, err)
	}
	item := p.item
	item.Data, item.Expires = data, p.until.UTC().Truncate(time.Second)
	return append(items, item), nil
}

// live returns the parts as if those that have expired had been forgotten; they
// keep their Rev, so that they can be written over. A timer for which something
// waits never expires.
func live(items []webhook.StateItem, now time.Time) []webhook.StateItem {
	items = slices.Clone(items)
	for i, item := range items {
		if item.Expires.IsZero() || item.Expires.After(now) {
			continue
		}
		if _, due, err := Next(item); item.Part != partTimer || err == nil && due.IsZero() {
			items[i].Data = nil
		}
	}
	return items
}

// state is what is known of one key.
type state struct {
	mark  part[mark]
	count part[counter]
	once  part[claim]
	cap   part[ledger]
	timer part[timer]

	shared map[string]*part[tally] // by key
	goal   part[goals]
}

// load reads parts in any order.
func load(items []webhook.StateItem) (st *state, err error) {
	st = &state{}
	for _, item := range items {
		switch {
		case item.Part == partShared:
			p := &part[tally]{}
			if st.shared == nil {
				st.shared = map[string]*part[tally]{}
			}
			st.shared[item.Key] = p
			err = p.decode(item)
		case item.Part == partGoal:
			err = st.goal.decode(item)
		case item.Part == partCount:
			err = st.count.decode(item)
		case item.Part == partOnce:
			err = st.once.decode(item)
		case item.Part == partCap:
			err = st.cap.decode(item)
		case item.Part == partTimer:
			err = st.timer.decode(item)
		case strings.HasPrefix(item.Part, markOf):
			err = st.mark.decode(item)
		}
		if err != nil {
			return nil, err
		}
	}
	return st, nil
}

// changes are the items to store, all or none.
func (st *state) changes() (items []webhook.StateItem, err error) {
	for _, add := range []func([]webhook.StateItem) ([]webhook.StateItem, error){
		st.mark.changed, st.count.changed, st.timer.changed, st.once.changed, st.cap.changed,
	} {
		if items, err = add(items); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(st.shared)) {
		if items, err = st.shared[key].changed(items); err != nil {
			return nil, err
		}
	}
	return st.goal.changed(items)
}
