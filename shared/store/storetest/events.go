package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var eventCases = map[string]func(*testing.T, Store){
	"EveryFieldComesBack":                eventFields,
	"SparseOnesComeBack":                 sparseEvent,
	"DataComesBackByteForByte":           eventData,
	"RepeatsFindWhatIsStored":            repeatedEvent,
	"RacingPublishersHaveOneWinner":      racingPublishers,
	"RacingRepeatsOfOneFindOneEvent":     racingRepeats,
	"HostileIdsNeverCollide":             hostileEvents,
	"ExpungedOnesComeBackAsSuch":         expungedEvent,
	"LongInlinePlansComeBack":            inlinePlan,
	"UnknownOnesAreNotFound":             absentEvent,
	"EventsAreSeenRightAfterTheyAreMade": consistentEvents,
}

// create stores a new event and reports any other outcome.
func create(t *testing.T, store Store, e webhook.StoredEvent) {
	t.Helper()
	got, created, err := store.CreateEvent(t.Context(), e)
	check(t, err)
	if !created {
		t.Errorf("CreateEvent(%s, %s) found one", e.Source, e.ID)
	}
	same(t, "CreateEvent", got, e)
}

// stored returns the stored event.
func stored(t *testing.T, store Store, e webhook.StoredEvent) webhook.StoredEvent {
	t.Helper()
	return must[webhook.StoredEvent](t)(store.Event(t.Context(), e.Tenant, e.Source, e.ID))
}

func eventFields(t *testing.T, store Store) {
	for i, zone := range []*time.Location{time.UTC, time.FixedZone("", 3600)} {
		e := planned(event("acme", fmt.Sprint("e", i), start.Add(789*time.Millisecond)), "sub_1", "sub_2")
		e.Time = nano.In(zone)
		create(t, store, e)
		same(t, "Event", stored(t, store, e), e)
	}
	for i, when := range []time.Time{time.Date(1492, 10, 12, 0, 0, 0, 1, time.UTC), time.Unix(0, 0), time.Unix(-1, 1), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)} {
		e := event("acme", fmt.Sprint("far", i), start)
		e.Time = when
		create(t, store, e)
		same(t, "Event", stored(t, store, e), e)
	}
}

func sparseEvent(t *testing.T, store Store) {
	bare := webhook.StoredEvent{Event: webhook.Event{
		Tenant: "acme", ID: "e", Source: "/", Type: "t", Time: start, AcceptedAt: start, Nonce: "n", History: webhook.HistoryCounts, Depth: 3,
	}}
	create(t, store, bare)
	got := stored(t, store, bare)
	same(t, "Event", got, bare)
	if got.Data != nil || got.Extensions != nil {
		t.Errorf("absent data, extensions = %q, %q, want nil", got.Data, got.Extensions)
	}
	bare.ID, bare.Data = "null", json.RawMessage("null")
	create(t, store, bare)
	same(t, "Event with null", stored(t, store, bare), bare)
}

func eventData(t *testing.T, store Store) {
	for i, data := range []string{
		"{}", "[]", `""`, "0", "null", "-0.0", " \t\r\n{ \"a\" :\n1 }\n ", `{"b":1,"a":2,"b":3}`,
		`1e400`, `123456789012345678901234567890.1234567890e-5`, `"\u003c<&>\u2028` + "\u2028\"", `"\ud83d\ude00 😀 é é \u0000"`,
		string(text(1 << 10)), string(text(webhook.MaxEventSize)), "[" + strings.Repeat(" ", webhook.MaxEventSize-2) + "]",
	} {
		e := event("acme", fmt.Sprint("e", i), start)
		e.Data = json.RawMessage(data)
		_, _, err := store.CreateEvent(t.Context(), e)
		check(t, err)
		got := stored(t, store, e)
		again, _, err := store.CreateEvent(t.Context(), e)
		check(t, err)
		if string(got.Data) != data || string(again.Data) != data {
			t.Errorf("data %.60q came back as %.60q, from a repeat as %.60q", data, got.Data, again.Data)
		}
	}
}

func repeatedEvent(t *testing.T, store Store) {
	first := planned(event("acme", "e", start), "a", "b")
	create(t, store, first)
	later := planned(event("acme", "e", start.Add(time.Minute)), "c")
	later.Nonce, later.Type, later.Data = "another", "other", json.RawMessage(`"other"`)
	for range 2 {
		got, created, err := store.CreateEvent(t.Context(), later)
		check(t, err)
		if created {
			t.Error("a repeat was created")
		}
		same(t, "repeat", got, first)
	}
	same(t, "Event", stored(t, store, first), first)
}

func racingPublishers(t *testing.T, store Store) {
	for round := range 10 {
		const n = 16
		var found [n]webhook.StoredEvent
		var won [n]bool
		checkAll(t, race(n, func(i int) (err error) {
			e := planned(event("acme", fmt.Sprint("e", round), start.Add(time.Duration(i)*time.Millisecond)), fmt.Sprint("s", i))
			e.Nonce, e.Data = fmt.Sprint("nonce", i), json.RawMessage(fmt.Sprint(i))
			found[i], won[i], err = store.CreateEvent(t.Context(), e)
			return err
		}))
		winners := 0
		for i := range n {
			if won[i] {
				winners++
				if found[i].Nonce != fmt.Sprint("nonce", i) {
					t.Errorf("caller %d created the event of %s", i, found[i].Nonce)
				}
			}
			same(t, fmt.Sprintf("what caller %d found", i), found[i], found[0])
		}
		if winners != 1 {
			t.Errorf("%d of %d publishers created the event", winners, n)
		}
		same(t, "Event", stored(t, store, found[0]), found[0])
	}
}

func racingRepeats(t *testing.T, store Store) {
	e := planned(event("acme", "e", start), "a")
	created := make([]bool, 8)
	checkAll(t, race(len(created), func(i int) error {
		got, c, err := store.CreateEvent(t.Context(), e)
		created[i] = c
		if err == nil && got.Nonce != e.Nonce {
			err = fmt.Errorf("found nonce %s", got.Nonce)
		}
		return err
	}))
	n := 0
	for _, c := range created {
		if c {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of %d repeats created the event", n, len(created))
	}
}

// hostileNames are sources and ids whose joining, folding or cutting would
// make two events one.
var hostileNames = [][2]string{
	{"a", "b#c"}, {"a#b", "c"}, {"a/b", "c"}, {"a", "b/c"}, {"a|b", "c"}, {"a", "b|c"}, {"a#", "b"}, {"a", "#b"},
	{"a", "A"}, {"A", "a"}, {"a", "a "}, {"a", " a"}, {"a", "é"}, {"a", "e\u0301"}, {"a", "😀"}, {"a", "%23"}, {"a", "#"},
	{"a", "'; DROP TABLE events; --"}, {"a", `"`}, {"a", `\`}, {"a", "*"}, {"a", "%"}, {"a", "_"}, {"a", ".."}, {"a", "~"}, {"a", "E"}, {"a", "P#nonce#0"},
	{strings.Repeat("s", 256), strings.Repeat("i", 256)}, {strings.Repeat("s", 256), strings.Repeat("i", 255) + "j"},
	{"a", strings.Repeat("😀", 256)}, {"a", strings.Repeat("😀", 255) + "é"},
}

func hostileEvents(t *testing.T, store Store) {
	all := make([]webhook.StoredEvent, len(hostileNames))
	for i, name := range hostileNames {
		e := planned(event("acme", name[1], start.Add(time.Duration(i)*time.Millisecond)), "s")
		e.Source, e.Data = name[0], json.RawMessage(fmt.Sprint(i))
		create(t, store, e)
		d := owed(e, "s", webhook.Pending)
		check(t, store.SaveDelivery(t.Context(), d, webhook.Parts{}))
		all[i] = e
	}
	for _, e := range all {
		same(t, "Event", stored(t, store, e), e)
		d := must[webhook.Delivery](t)(store.Delivery(t.Context(), "acme", owed(e, "s", webhook.Pending).ID))
		if d.EventSource != e.Source || d.EventID != e.ID {
			t.Errorf("delivery of (%.20q, %.20q) names (%.20q, %.20q)", e.Source, e.ID, d.EventSource, d.EventID)
		}
	}
}

func expungedEvent(t *testing.T, store Store) {
	e := event("acme", "e", start)
	e.Expunged, e.Data = true, nil
	create(t, store, e)
	same(t, "Event", stored(t, store, e), e)
}

func inlinePlan(t *testing.T, store Store) {
	long := strings.Repeat("s", 60)
	e := planned(event("acme", "e", start), numbered(long, webhook.PlanInline)...)
	for i := range e.Plan.Entries {
		e.Plan.Entries[i].Version += 1 << 50
	}
	e.Data = text(webhook.MaxEventSize)
	create(t, store, e)
	same(t, "Event", stored(t, store, e), e)
	paged := event("acme", "paged", start)
	paged.Plan = webhook.Plan{Pages: 1000, Key: "pages", Total: 999_999}
	create(t, store, paged)
	same(t, "Event", stored(t, store, paged), paged)
}

func absentEvent(t *testing.T, store Store) {
	e := event("acme", "e", start)
	create(t, store, e)
	for _, name := range [][2]string{{e.Source, "E"}, {e.Source, ""}, {"", e.ID}, {e.Source + "/", e.ID}, {e.ID, e.Source}} {
		_, err := store.Event(t.Context(), "acme", name[0], name[1])
		wantError(t, fmt.Sprintf("Event(%q, %q)", name[0], name[1]), err, webhook.ErrNotFound)
	}
}

func consistentEvents(t *testing.T, store Store) {
	checkAll(t, race(8, func(i int) error {
		for n := range 10 {
			e := event("acme", fmt.Sprint("e", i, n), start)
			if err := insist(func() error { _, _, err := store.CreateEvent(t.Context(), e); return err }); err != nil {
				return err
			}
			if _, err := store.Event(t.Context(), "acme", e.Source, e.ID); err != nil {
				return fmt.Errorf("right after it was made: %w", err)
			}
		}
		return nil
	}))
}
