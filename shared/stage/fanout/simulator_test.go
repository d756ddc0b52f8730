package fanout_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// A history is one subscription with a trigger, what happens to it, and how it
// is handled: by several processes at once, each message up to three times and
// again whenever a process dies, which it may do before or after any call. All
// of it follows from a seed.
type history struct {
	seed     uint64
	rand     *rand.Rand
	store    storetest.Store
	tenant   string
	sub      webhook.Subscription
	shape    shape
	events   []*happening
	byKey    map[string]*happening // by event key
	stages   []*fanout.Fanout
	free     bool // real concurrency instead of the seed's
	clock    time.Time
	crashes  int // still to come
	crashed  int
	arrays   int
	inflight int

	mu      sync.Mutex
	running []*handling
	waiting []*crossing // calls that wait to be let through
	over    []*handling // handlings that have ended
	queue   []queued
	dues    []webhook.Due
	sent    map[string]message.FirstAttempt // deliveries, by id
	commits []commit
	log     []commit // and the events that were stored, in the order of both
	faults  []string
	told    *foretold                         // of the last that canceled and then starts
	strays  bool                              // a planted bug: parts do not say of which array they are
	saving  sync.Mutex                        // with real concurrency, so that commits are noted in their order
	rename  func(queue.Message) queue.Message // a planted bug: what becomes of messages on the events queue; nil for nothing
	cast    *cast                             // of a history of campaigns; nil for one of a trigger alone
}

// happening is one event of a history.
type happening struct {
	webhook.Event
	key      string // of the trigger
	distinct string
	starts   bool
	cancels  bool
	bare     bool // nothing can be rendered of it
	array    int  // that it was published in; 0 for none
	place    int  // there
	mark     string
}

type queued struct {
	at       time.Time
	body     []byte
	received int // before
}

// handling is one receipt of a message by one process.
type handling struct {
	number int
	queued
	from   *happening // of a pack; nil of a wake-up
	stage  *fanout.Fanout
	dead   bool
	failed bool
	read   map[webhook.StateRef]int64 // the revisions of the state that it last read
	readAt map[webhook.StateRef]int   // after how many entries of the log
	looks  map[string][]look          // at profiles, by subject
}

// crossing is a call that a process makes.
type crossing struct {
	by     *handling
	what   string
	passes chan verdict
}

type verdict int

const (
	passes verdict = iota
	diesBefore
	diesAfter
)

// commit is one save of state that was carried out, or one event that was stored.
type commit struct {
	by    *handling
	clock time.Time
	items []webhook.StateItem
	event *webhook.StoredEvent
	reads map[webhook.StateRef]int // after how many entries of the log what is saved was read
}

var errDead = errors.New("the process is dead")

// maxHandlings is more than any history needs to come to its end.
const maxHandlings = 2000

// epoch is when all histories begin.
var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newHistory(seed uint64, store storetest.Store, shapes []shape) *history {
	h := &history{
		seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), store: store, tenant: fmt.Sprintf("t%d", seed),
		clock: epoch, byKey: map[string]*happening{}, sent: map[string]message.FirstAttempt{},
	}
	h.shape = shapes[h.rand.IntN(len(shapes))]
	h.crashes = h.rand.IntN(7)
	return h
}

type handlingKey struct{}

// run plays the history to its end.
func (h *history) run(ctx context.Context) error {
	subscribe, happen := h.subscribe, h.happen
	if h.cast != nil {
		subscribe, happen = h.cast.subscribe, h.cast.happen
	}
	if err := subscribe(ctx); err != nil {
		return err
	}
	for range 3 {
		h.stages = append(h.stages, h.process())
	}
	happen()
	if h.free {
		h.playFreely(ctx)
	} else {
		h.play(ctx)
	}
	return nil
}

// process is one that handles messages.
func (h *history) process() *fanout.Fanout {
	stage := &fanout.Fanout{
		Store: &tapped{h.store, h}, Events: tap{h, h.enqueue}, Deliveries: tap{h, h.deliver},
		Now: h.now, Log: slog.New(slog.DiscardHandler),
	}
	if !h.free {
		stage.Calm(func(ctx context.Context, parts []webhook.StateRef) error {
			return h.cross(ctx, "arrive "+nameOf(parts), func(*handling) error { return nil })
		})
	}
	return stage
}

// subscribe saves the one subscription.
func (h *history) subscribe(ctx context.Context) error {
	sub, err := h.store.SaveSubscription(ctx, webhook.Subscription{
		Tenant: h.tenant, ID: "s", URL: "https://a.example", Types: []string{"start", "both"}, Signing: "v1", State: webhook.Active,
		Trigger: json.RawMessage(h.shape.trigger), CreatedAt: epoch, UpdatedAt: epoch,
		Request: &webhook.RequestSpec{Require: []string{"data.v"}},
	}, 0)
	h.sub = sub
	return err
}

func (h *history) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

// happen makes up the events and puts them on the queue, some of them twice or
// three times, in any order.
func (h *history) happen() {
	keys, bare := 1+h.rand.IntN(2), h.rand.IntN(2)*h.rand.IntN(4)
	for i := range 2 + h.rand.IntN(11) {
		e := &happening{key: fmt.Sprintf("u%d", h.rand.IntN(keys)), distinct: fmt.Sprintf("b%d", h.rand.IntN(6))}
		kind := "start"
		if h.shape.cancels {
			kind = []string{"start", "start", "cancel", "both"}[h.rand.IntN(4)]
		}
		e.starts, e.cancels = kind != "cancel", kind != "start" && h.shape.cancels
		// Few enough times for some to be equal.
		at := epoch.Add(time.Duration(h.rand.IntN(24)-20) * h.shape.tick)
		e.Event = webhook.Event{
			Tenant: h.tenant, ID: fmt.Sprintf("e%d", h.rand.IntN(8)), Source: fmt.Sprintf("/s%d", h.rand.IntN(2)), Type: kind, Subject: e.key,
			Time: minTime(at, epoch), Data: json.RawMessage(`{"b":"` + e.distinct + `","v":1}`), Nonce: fmt.Sprint("n", i),
			AcceptedAt: epoch.Add(time.Duration(h.rand.IntN(3)) * time.Millisecond), Order: uint32(h.rand.IntN(3)<<16 | h.rand.IntN(3)),
		}
		if e.bare = bare > 0 && h.rand.IntN(5) < bare; e.bare {
			e.Data = json.RawMessage(`{"b":"` + e.distinct + `"}`)
		}
		e.mark = "M#" + webhook.Hash(20, "event", e.Key())
		if h.shape.distinct {
			e.mark = "M#" + webhook.Hash(20, "distinct", e.distinct)
		}
		if h.byKey[e.Key()] != nil {
			continue
		}
		h.byKey[e.Key()] = e
		h.events = append(h.events, e)
	}
	for rest := h.events; len(rest) > 0; {
		n := 1
		if h.rand.IntN(2) == 0 {
			n = min(len(rest), 1+h.rand.IntN(6))
		}
		h.publish(rest[:n])
		rest = rest[n:]
	}
	h.rand.Shuffle(len(h.queue), func(i, j int) { h.queue[i], h.queue[j] = h.queue[j], h.queue[i] })
}

// publish has events come in one array, in one message or several.
func (h *history) publish(events []*happening) {
	parts := []message.Pack{{}}
	h.arrays++
	for i, e := range events {
		if len(events) > 1 {
			e.array, e.place = h.arrays, i
			e.AcceptedAt, e.Order = events[0].AcceptedAt, events[0].Order&^0xffff|uint32(i)
		}
		if last := parts[len(parts)-1]; len(last.Events) > 0 && h.rand.IntN(3) == 0 {
			parts = append(parts, message.Pack{First: i})
		}
		last := &parts[len(parts)-1]
		last.Events = append(last.Events, e.Event)
	}
	arrives := epoch.Add(time.Duration(h.rand.IntN(12)) * h.shape.tick)
	for i, p := range parts {
		if len(parts) > 1 && !h.strays {
			p.Request, p.Last = events[0].Nonce, i == len(parts)-1
		}
		for range 1 + h.rand.IntN(3) {
			h.queue = append(h.queue, queued{at: arrives, body: p.Encode()})
		}
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// play lets one call through at a time, by the seed's choice.
func (h *history) play(ctx context.Context) {
	for number := 0; ; {
		synctest.Wait()
		h.settle()
		ready := h.ready()
		canBegin := len(ready) > 0 && h.inflight < len(h.stages)
		switch {
		case h.wait() > 0 && (!canBegin || h.rand.IntN(3) > 0):
			h.release()
		case canBegin:
			if number++; number > maxHandlings {
				h.faults = append(h.faults, "no end")
				h.crash()
				return
			}
			h.begin(ctx, number, ready[h.rand.IntN(len(ready))])
		case h.inflight > 0: // pausing before a repeat
			time.Sleep(time.Millisecond)
		case !h.advance():
			return
		}
	}
}

// wait is how many calls wait to be let through.
func (h *history) wait() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.waiting)
}

// playFreely lets all calls through as they come.
func (h *history) playFreely(ctx context.Context) {
	for number := 0; number < maxHandlings; {
		var wg sync.WaitGroup
		for range len(h.stages) {
			if ready := h.ready(); len(ready) > 0 {
				number++
				wg.Go(h.receive(ctx, number, ready[h.rand.IntN(len(ready))]))
			}
		}
		wg.Wait()
		if h.settle(); len(h.ready()) == 0 && !h.advance() {
			return
		}
	}
}

// crash ends all that is under way.
func (h *history) crash() {
	for h.inflight > 0 {
		for _, c := range h.waiting {
			c.passes <- diesBefore
		}
		h.waiting = nil
		time.Sleep(time.Millisecond)
		synctest.Wait()
		h.settle()
	}
}

// ready are the places of the messages that can be received.
func (h *history) ready() (places []int) {
	for i, q := range h.queue {
		if !q.at.After(h.clock) {
			places = append(places, i)
		}
	}
	return places
}

func (h *history) begin(ctx context.Context, number, place int) { go h.receive(ctx, number, place)() }

// receive takes a message off the queue and returns what handles it.
func (h *history) receive(ctx context.Context, number, place int) func() {
	q := h.queue[place]
	h.queue = slices.Delete(h.queue, place, place+1)
	q.received++
	by := &handling{number: number, queued: q}
	if p, err := message.DecodeAs[message.Pack](q.body); err == nil {
		by.from = h.byKey[p.Events[0].Key()]
	}
	h.inflight++
	h.mu.Lock()
	by.stage, by.dead = h.living(h.rand.IntN(len(h.stages)))
	h.running = append(h.running, by)
	h.mu.Unlock()
	return func() {
		failed := by.stage.Handle(context.WithValue(ctx, handlingKey{}, by), []queue.Message{{ID: "m", Group: h.tenant, Body: q.body, Received: q.received}})
		h.mu.Lock()
		defer h.mu.Unlock()
		by.failed = len(failed) > 0
		h.running = slices.DeleteFunc(h.running, func(other *handling) bool { return other == by })
		h.over = append(h.over, by)
	}
}

// living returns a process that takes a message: the one of that number, or the next
// that is not just dying; all may be.
func (h *history) living(n int) (stage *fanout.Fanout, dying bool) {
	for i := range h.stages {
		stage = h.stages[(n+i)%len(h.stages)]
		if !slices.ContainsFunc(h.running, func(by *handling) bool { return by.stage == stage && by.dead }) {
			return stage, false
		}
	}
	return stage, true
}

// settle gives messages back whose handling failed.
func (h *history) settle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortFunc(h.over, func(a, b *handling) int { return a.number - b.number })
	for _, by := range h.over {
		h.inflight--
		if by.failed {
			h.queue = append(h.queue, queued{h.clock, by.body, by.received})
		}
		if by.failed && !by.dead {
			h.faults = append(h.faults, fmt.Sprintf("handling %d failed without a crash", by.number))
		}
	}
	h.over = h.over[:0]
	slices.SortFunc(h.waiting, func(a, b *crossing) int {
		return cmp.Or(a.by.number-b.by.number, strings.Compare(a.what, b.what))
	})
}

// release lets a waiting call through, or has its process die there.
func (h *history) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.rand.IntN(len(h.waiting))
	c := h.waiting[i]
	h.waiting = slices.Delete(h.waiting, i, i+1)
	c.passes <- h.judge(c.by)
}

func (h *history) judge(by *handling) verdict {
	switch {
	case by.dead:
		return diesBefore
	case h.crashes > 0 && h.rand.IntN(12) == 0:
		h.crashes--
		h.crashed++
		for _, mate := range h.mates(by) {
			mate.dead = true
		}
		return []verdict{diesBefore, diesAfter}[h.rand.IntN(2)]
	}
	return passes
}

// mates are the handlings that run in the same process, with the one given.
func (h *history) mates(by *handling) []*handling {
	mates := []*handling{by}
	for _, other := range h.running {
		if other != by && other.stage == by.stage {
			mates = append(mates, other)
		}
	}
	return mates
}

// advance moves the clock to the next thing that falls due; false at the end.
// What waits for its time in a due pointer becomes a message, as sweep does it.
func (h *history) advance() bool {
	var next time.Time
	for _, q := range h.queue {
		if next.IsZero() || q.at.Before(next) {
			next = q.at
		}
	}
	for _, due := range h.dues {
		if next.IsZero() || due.At.Before(next) {
			next = due.At
		}
	}
	if next.IsZero() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if next.After(h.clock) {
		h.clock = next.Add(time.Duration(h.rand.IntN(3)) * h.shape.tick / 2) // late, sometimes
	}
	for _, due := range h.dues {
		fire, err := message.OfDue(due)
		if err != nil {
			h.faults = append(h.faults, "due pointer: "+err.Error())
			continue
		}
		h.queue = append(h.queue, queued{at: due.At, body: fire.Encode()})
	}
	h.dues = nil
	return true
}

// cross makes a call of a process: it waits for its turn, and may die before
// the call or after it.
func (h *history) cross(ctx context.Context, what string, call func(by *handling) error) error {
	by := ctx.Value(handlingKey{}).(*handling)
	c := &crossing{by, what, make(chan verdict, 1)}
	h.mu.Lock()
	if h.free {
		c.passes <- h.judge(by)
	} else {
		h.waiting = append(h.waiting, c)
	}
	h.mu.Unlock()
	v := <-c.passes
	if v == diesBefore {
		return errDead
	}
	if err := call(by); err != nil || v == passes {
		return err
	}
	return errDead
}

// enqueue is what the events queue does with messages.
func (h *history) enqueue(m queue.Message) {
	if h.rename != nil {
		m = h.rename(m)
	}
	h.queue = append(h.queue, queued{at: h.clock.Add(m.Delay), body: m.Body})
	if h.rand.IntN(5) == 0 {
		h.queue = append(h.queue, queued{at: h.clock.Add(m.Delay), body: m.Body})
	}
}

// deliver is what the deliveries queue does.
func (h *history) deliver(m queue.Message) {
	f, err := message.DecodeAs[message.FirstAttempt](m.Body)
	if err != nil {
		h.faults = append(h.faults, "delivery: "+err.Error())
	}
	if before, ok := h.sent[f.ID]; ok && string(before.Encode()) != string(m.Body) {
		h.faults = append(h.faults, "delivery "+f.ID+" was sent with different bytes")
	}
	h.sent[f.ID] = f
}

// tap is a queue.
type tap struct {
	h    *history
	take func(queue.Message)
}

func (t tap) Send(ctx context.Context, messages []queue.Message) error {
	return t.h.cross(ctx, "Send", func(*handling) error {
		t.h.mu.Lock()
		defer t.h.mu.Unlock()
		messages = slices.Clone(messages) // in the order in which goroutines of one handling added them
		slices.SortFunc(messages, func(a, b queue.Message) int { return bytes.Compare(a.Body, b.Body) })
		for _, m := range messages {
			t.take(m)
		}
		return nil
	})
}

// tapped is the store, whose calls cross.
type tapped struct {
	storetest.Store
	h *history
}

func (s *tapped) CreateEvent(ctx context.Context, e webhook.StoredEvent, profiles ...webhook.Profile) (stored webhook.StoredEvent, created bool, err error) {
	err = s.h.cross(ctx, "CreateEvent "+e.ID+e.Source, func(by *handling) (err error) {
		defer s.h.alone()()
		if stored, created, err = s.Store.CreateEvent(ctx, e, profiles...); created {
			s.h.mu.Lock()
			defer s.h.mu.Unlock()
			s.h.log = append(s.h.log, commit{by: by, clock: s.h.clock, event: &e})
		}
		return err
	})
	return stored, created, err
}

// alone lets one process at a time, with real concurrency, do what is noted in its
// order, and returns what ends that.
func (h *history) alone() (end func()) {
	if !h.free {
		return func() {}
	}
	h.saving.Lock()
	return h.saving.Unlock
}

func (s *tapped) TriggerState(ctx context.Context, refs []webhook.StateRef) (items []webhook.StateItem, err error) {
	err = s.h.cross(ctx, "TriggerState "+nameOf(refs), func(by *handling) (err error) {
		defer s.h.alone()()
		items, err = s.Store.TriggerState(ctx, refs)
		s.h.mu.Lock()
		defer s.h.mu.Unlock()
		by.noteRead(items, len(s.h.log))
		return err
	})
	return items, err
}

func (s *tapped) SaveTriggerState(ctx context.Context, items []webhook.StateItem) error {
	refs := make([]webhook.StateRef, len(items))
	for i, item := range items {
		refs[i] = item.StateRef
	}
	return s.h.cross(ctx, "SaveTriggerState "+nameOf(refs), func(by *handling) error {
		defer s.h.alone()()
		before, err := s.Store.TriggerState(ctx, refs)
		if err != nil {
			return err
		}
		told, err := s.h.foretell(ctx, by, items)
		if err != nil {
			return err
		}
		if err := s.Store.SaveTriggerState(ctx, items); err != nil {
			return err
		}
		s.h.mu.Lock()
		defer s.h.mu.Unlock()
		s.h.compare(told, before, items)
		done := commit{by: by, clock: s.h.clock, items: slices.Clone(items), reads: maps.Clone(by.readAt)}
		s.h.commits, s.h.log = append(s.h.commits, done), append(s.h.log, done)
		return nil
	})
}

func (s *tapped) Profiles(ctx context.Context, tenant string, subjects []string) (found map[string]webhook.Profile, err error) {
	err = s.h.cross(ctx, "Profiles "+strings.Join(subjects, " "), func(by *handling) (err error) {
		defer s.h.alone()()
		found, err = s.Store.Profiles(ctx, tenant, subjects)
		s.h.mu.Lock()
		defer s.h.mu.Unlock()
		s.h.cast.look(by, subjects)
		return err
	})
	return found, err
}

// nameOf tells calls apart that one handling makes at once.
func nameOf(refs []webhook.StateRef) (name string) {
	for _, ref := range refs {
		name += ref.Key + ref.Part + " "
	}
	return name
}

func (s *tapped) PutDue(ctx context.Context, due webhook.Due) error {
	return s.h.cross(ctx, "PutDue "+due.ID, func(*handling) error {
		s.h.mu.Lock()
		defer s.h.mu.Unlock()
		s.h.dues = append(s.h.dues, due)
		return nil
	})
}

var _ trigger.Reader = (*tapped)(nil)
