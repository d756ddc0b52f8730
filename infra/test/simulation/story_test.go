package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/api/operational"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

// schedule is that of every subscription, so that all ways of waiting occur:
// at once, by a queue's delay, and by a due pointer.
var schedule = []string{"5s", "1m", "20m", "1h"}

// types are what the subscriptions want, in turn.
var types = []string{`["a.*"]`, `["b.x"]`, `["*"]`, `["a.x","b.x"]`}

var wants = []func(typ string) bool{
	func(typ string) bool { return typ == "a.x" },
	func(typ string) bool { return typ == "b.x" },
	func(string) bool { return true },
	func(typ string) bool { return typ == "a.x" || typ == "b.x" },
}

// limits are their rate limits, in turn: one is so low that a burst waits.
var limits = []string{`null`, `{"per_second":1}`, `{"per_second":1000}`}

func subID(i int) string { return fmt.Sprint("s", i) }

// subscribe makes n subscriptions; no fault disturbs that.
func (w *world) subscribe(n int) {
	for i := range n {
		w.create(subID(i), types[i%len(types)], limits[i%len(limits)], "null")
	}
	w.subs = n
}

// create makes a subscription; no fault disturbs that.
func (w *world) create(id, types, limit, trigger string) {
	faults, fault := w.faults, w.fault
	w.faults, w.fault = 0, nil
	text, _ := json.Marshal(schedule)
	path := strings.TrimPrefix(id, "s")
	w.call("PUT", "/subscriptions/"+id, fmt.Sprintf(`{"url":"https://a.example/%s","types":%s,"retry":{"schedule":%s,"timeout":"3s"},"rate_limit":%s,"trigger":%s}`,
		path, types, text, limit, trigger), func(status int, answer []byte) {
		if status != 201 {
			w.wrong("subscribe: %d %s", status, answer)
		}
	})
	w.play()
	w.faults, w.fault, w.calls = faults, fault, 0
}

// live plays a whole life: publications and what owners do, then a time in
// which nothing fails any more, until all is quiet.
func (w *world) live() {
	w.chaotic = true
	w.subscribe(1 + w.rng.IntN(4))
	if w.rng.IntN(3) == 0 {
		w.subscribePlots()
	}
	if w.rng.IntN(3) == 0 {
		w.repeatKeys()
	}
	for range 1 + w.rng.IntN(4) {
		w.plan(w.publish(1+w.rng.IntN(3), w.rng.IntN(3) == 0))
	}
	for range w.rng.IntN(14) {
		w.plan(w.deed())
	}
	for i := range w.subs {
		if w.rng.IntN(3) == 0 {
			from := w.begin.Add(time.Duration(w.rng.IntN(60)) * time.Minute)
			w.spells["/"+fmt.Sprint(i)] = span{from, from.Add(time.Duration(w.rng.IntN(90)) * time.Minute)}
		}
	}
	for range 1 + w.rng.IntN(2) {
		w.plan(w.checkLists)
	}
	slices.SortStableFunc(w.plans, func(a, b plan) int { return a.at.Compare(b.at) })
	w.playUntil(w.begin.Add(2*time.Hour + time.Duration(w.rng.IntN(120))*time.Minute))
	w.heal()
	w.play()
	w.check()
}

// fails reports whether the subscriber at a path is in a bad spell.
func (w *world) fails(path string) bool {
	spell, now := w.spells[path], time.Now()
	return !w.healed && !now.Before(spell.from) && now.Before(spell.to)
}

// plan has something happen within the first two hours, most of it early.
func (w *world) plan(do func()) {
	within := []time.Duration{time.Second, time.Minute, 2 * time.Hour}[w.rng.IntN(3)]
	w.plans = append(w.plans, plan{w.begin.Add(time.Duration(w.rng.Int64N(int64(within)))), do})
}

// deed is something that an owner does.
func (w *world) deed() func() {
	sub := "/subscriptions/" + subID(w.rng.IntN(max(w.subs, 1)))
	ignore := func(int, []byte) {}
	n := w.rng.IntN(27)
	switch {
	case n < 4:
		return func() { w.call("POST", sub+"/pause", "", ignore) }
	case n < 9:
		return func() { w.call("POST", sub+"/resume", "", ignore) }
	case n < 11:
		return func() { w.call("PATCH", sub, `{"name":"n","url":"https://b.example/"}`, ignore) }
	case n < 12:
		return func() { w.call("DELETE", sub, "", ignore) }
	case n < 16:
		return func() {
			if id := w.someDelivery(); id != "" {
				w.call("POST", "/deliveries/"+id+"/retry", "", ignore)
			}
		}
	case n < 17:
		return func() {
			if id := w.someDelivery(); id != "" {
				w.canceled[id] = true
				w.call("POST", "/deliveries/"+id+"/cancel", "", ignore)
			}
		}
	}
	if n < 20 {
		return w.redrive
	}
	if n < 22 {
		return w.replay
	}
	if n < 24 {
		return w.expunge
	}
	status := []string{"exhausted", "exhausted", "canceled"}[w.rng.IntN(3)]
	if n == 26 {
		return func() {
			for i := range w.subs {
				w.recovered[subID(i)] = true
			}
			for id := range w.plots {
				w.recovered[id] = true
			}
			w.call("POST", "/recover", `{"after":"1999-01-01T00:00:00Z","status":"`+status+`"}`, ignore)
		}
	}
	return func() {
		w.recovered[strings.TrimPrefix(sub, "/subscriptions/")] = true
		w.call("POST", sub+"/recover", `{"after":"1999-01-01T00:00:00Z","status":"`+status+`"}`, ignore)
	}
}

// expunge has an event's payload removed.
func (w *world) expunge() {
	if len(w.eventOrder) > 0 {
		event := w.someEvent()
		w.expunged[event] = true
		w.call("POST", "/events/"+event+"/expunge", "", func(status int, _ []byte) {
			if _, before := w.witness.expunged[event]; status == 200 && !before {
				w.witness.expunged[event] = w.tick()
			}
		})
	}
}

func (w *world) someDelivery() string {
	if len(w.ids) == 0 {
		return ""
	}
	return w.ids[w.rng.IntN(len(w.ids))]
}

// redrive moves what is in the exhausted queue to resend, as a console does.
func (w *world) redrive() {
	w.redriven = true
	for _, it := range w.queues["exhausted"] {
		it.gone = true
		m := it.Message
		m.Received = 0
		w.put("resend", m)
	}
	w.sweepGone("exhausted")
}

// heal ends the faults and opens every subscription, and lets every line be
// looked at.
func (w *world) heal() {
	w.healed = true
	for i := range w.subs {
		w.resume(subID(i))
	}
	for _, id := range slices.Sorted(maps.Keys(w.plots)) {
		w.resume(id)
	}
}

// resume opens a subscription, and asks again until that is done.
func (w *world) resume(id string) {
	w.call("POST", "/subscriptions/"+id+"/resume", "", func(status int, _ []byte) {
		if status != 200 && status != 404 {
			w.resume(id)
		}
	})
}

// check compares what the store says, what subscribers saw, and what was
// promised.
func (w *world) check() {
	ctx := context.Background()
	for _, q := range queueNames {
		for _, it := range w.queues[q] {
			if !it.gone {
				w.wrong("message left in %s: %.150s", q, it.Body)
			}
		}
	}
	if ids := w.store.Waiting(); len(ids) > 0 {
		w.wrong("left waiting in line: %v", ids)
	}
	stored := map[string]bool{}
	for _, e := range w.store.Events(tenant) {
		if e.Source == operational.Source {
			continue
		}
		stored[e.ID] = true
		w.checkPlan(e)
		for _, r := range w.replays {
			if r.Event == e.ID {
				w.checkReplay(e, r)
			}
		}
		w.checkCounts(e)
	}
	w.checkOperational()
	w.checkJobs()
	w.checkFigures()
	w.checkLists()
	w.checkArrays()
	w.checkSaid()
	for _, id := range w.eventOrder {
		if _, accepted := w.accepted[id]; accepted && !stored[id] {
			w.wrong("event %s was accepted and is not stored", id)
		}
	}
	for _, id := range w.ids {
		if _, err := w.store.Delivery(ctx, tenant, id); err != nil {
			w.wrong("delivery %s was posted and is not stored", id)
		}
	}
}

// entries returns the whole plan of an event.
func (w *world) entries(e webhook.StoredEvent) []webhook.PlanEntry {
	entries := e.Plan.Entries
	for page := range e.Plan.Pages {
		more, err := w.store.PlanPage(context.Background(), tenant, e.Key(), e.Plan.Key, page)
		if err != nil {
			w.wrong("event %s: page %d of its plan: %v", e.ID, page, err)
		}
		entries = append(entries, more...)
	}
	if len(entries) != e.Plan.Total {
		w.wrong("event %s: plan of %d entries says %d", e.ID, len(entries), e.Plan.Total)
	}
	return entries
}

// checkPlan sees that whoever wanted the event is in its plan, and nobody else,
// and that each got it.
func (w *world) checkPlan(e webhook.StoredEvent) {
	planned := map[string]bool{}
	for _, entry := range w.entries(e) {
		planned[entry.Subscription] = true
		if w.plots[entry.Subscription] != nil {
			w.checkOccurrence(e, entry)
			continue
		}
		w.checkDelivery(e, entry, "", e.AcceptedAt)
	}
	for i := range w.subs {
		gone := w.deleted[subID(i)]
		if w.changed[subID(i)] {
			continue // it was decided before the change or after
		}
		switch want := wants[i%len(wants)](e.Type); {
		case planned[subID(i)] && !want:
			w.wrong("event %s of type %s is planned for %s", e.ID, e.Type, subID(i))
		case !planned[subID(i)] && want && (gone == 0 || gone > w.created[e.ID]):
			w.wrong("event %s of type %s is not planned for %s", e.ID, e.Type, subID(i))
		}
	}
}

func (w *world) checkDelivery(e webhook.StoredEvent, entry webhook.PlanEntry, occasion string, created time.Time) {
	id := webhook.DeliveryID(tenant, e.Key(), created, entry.Subscription, occasion)
	if occasion == "" {
		id = e.DeliveryID(entry)
	}
	d, err := w.store.Delivery(context.Background(), tenant, id)
	if err != nil && w.deleted[entry.Subscription] > 0 && !w.versionKept(entry) {
		return // fan-out came after all that was left of the subscription had been removed
	}
	if err != nil {
		w.wrong("delivery %s of event %s to %s was never made: %v", id, e.ID, entry.Subscription, err)
		return
	}
	p := w.seen[id]
	if p == nil {
		p = &posted{}
	}
	bad := ""
	switch {
	case d.Status == webhook.Succeeded && !p.confirmed:
		bad = "succeeded, and no subscriber said so"
	case d.Status == webhook.Exhausted && d.Reason == "" && d.Step <= len(schedule): // a 410 adds one
		bad = fmt.Sprintf("exhausted after %d steps", d.Step)
	case d.Status == webhook.Exhausted && d.Reason != "" && !(d.Reason == webhook.ReasonExpired && w.expires):
		bad = "exhausted for " + string(d.Reason)
	case d.Status == webhook.Exhausted && !w.redrivable(d):
		bad = "exhausted, and not in the queue of that name"
	case d.Status == webhook.Canceled && !(d.Reason == webhook.ReasonDeleted && w.deleted[d.Subscription] > 0 || d.Reason == webhook.ReasonManual && w.canceled[id] || d.Reason == webhook.ReasonExpired && w.expunged[e.ID] || d.Reason == webhook.ReasonCanceledBy && w.hasCancel(e, w.plots[d.Subscription])):
		bad = "canceled for " + string(d.Reason)
	case d.Status == webhook.Pending:
		bad = fmt.Sprintf("in limbo: waits for %q since %v until %v", d.Waiting, d.WaitingSince, d.NextAt)
	case p.body != "" && !strings.Contains(p.body, w.contents[e.ID]):
		bad = "has the body of another event: " + p.body
	case d.Attempts > p.count+w.unseen[id]:
		bad = fmt.Sprintf("%d attempts recorded, %d made", d.Attempts, p.count)
	}
	if bad != "" {
		w.wrong("delivery %s of event %s to %s, round %d, step %d: %s", id, e.ID, entry.Subscription, d.Round, d.Step, bad)
	}
	w.checkAttempts(d)
	w.checkSeen(d)
}

// checkAttempts sees that each attempt that is counted is listed.
func (w *world) checkAttempts(d webhook.Delivery) {
	attempts, _ := w.store.Attempts(context.Background(), tenant, d.ID)
	listed := map[int]bool{}
	for _, a := range attempts {
		listed[a.Number] = true
	}
	if d.Last != nil {
		listed[d.Last.Number] = true
	}
	if len(listed) != d.Attempts {
		w.wrong("delivery %s: %d attempts counted, %d listed", d.ID, d.Attempts, len(listed))
	}
}

func (w *world) redrivable(d webhook.Delivery) bool {
	return slices.ContainsFunc(w.queues["exhausted"], func(it *item) bool {
		again, err := message.DecodeAs[message.NewRound](it.Body)
		return err == nil && again.Delivery == d.ID && again.Round == d.Round
	})
}

// checkCounts sees that the API tells the same of an event as the store holds.
func (w *world) checkCounts(e webhook.StoredEvent) {
	statuses := map[string]int{}
	for _, entry := range w.entries(e) {
		id := e.DeliveryID(entry)
		if d, err := w.store.Delivery(context.Background(), tenant, id); err == nil {
			statuses[string(d.Status)]++
		}
	}
	again, _, err := w.store.Occasions(context.Background(), tenant, e.Source, e.ID, "", 100)
	if err != nil {
		w.wrong("occasions of event %s: %v", e.ID, err)
	}
	for _, d := range again {
		statuses[string(d.Status)]++
	}
	w.ask("/events/"+e.ID, func(status int, answer []byte) {
		var told struct {
			Counts map[string]int `json:"counts"`
		}
		if err := json.Unmarshal(answer, &told); err != nil || status != 200 {
			w.wrong("GET event: %d %s", status, answer)
		}
		for status, n := range told.Counts {
			if n != statuses[status] {
				w.wrong("event %s: the API counts %d %s, the store holds %d", e.ID, n, status, statuses[status])
			}
		}
	})
}

// ask reads from the API, while nothing else happens.
func (w *world) ask(path string, then func(status int, answer []byte)) {
	fault, faults := w.fault, w.faults
	w.fault, w.faults = nil, 0
	w.call("GET", path, "", then)
	for w.busy > 0 {
		synctest.Wait()
		w.settle()
		if len(w.waiting) > 0 {
			w.release()
		}
	}
	w.fault, w.faults = fault, faults
}

func (w *world) versionKept(entry webhook.PlanEntry) bool {
	_, err := w.store.Versions(context.Background(), []webhook.VersionRef{{Tenant: tenant, ID: entry.Subscription, Version: entry.Version}})
	return err == nil
}

// checkJobs sees that every job came to its end, with counts that add up, and
// that a deletion left nothing behind.
func (w *world) checkJobs() {
	jobs, _, err := w.store.PageJobs(context.Background(), tenant, webhook.Page{Limit: 1000})
	if err != nil {
		w.wrong("list jobs: %v", err)
	}
	for _, j := range jobs {
		c := j.Counts
		w.checkCount(j)
		if j.Status == webhook.JobRunning || len(j.Decided) > 0 || c.Matched != c.Sent+c.Skipped+c.Canceled {
			w.wrong("job %s of kind %s is %s %q with %+v", j.ID, j.Kind, j.Status, j.Detail, c)
		}
		if sub := j.Subscription; j.Kind == webhook.JobDeleteSubscription && w.deleted[sub] > 0 && w.versionKept(webhook.PlanEntry{Subscription: sub, Version: j.Born}) {
			w.wrong("job %s left version %d of %s", j.ID, j.Born, sub)
		}
	}
}
