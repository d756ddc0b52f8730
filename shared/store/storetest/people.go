package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var peopleCases = map[string]func(*testing.T, Store){
	"ProfilesAreReadBySubject":                        profilesBySubject,
	"AProfileIsSavedOverTheRevisionBeforeAndNoOther":  profileRevisions,
	"ProfilesAreListedWholeAndOnce":                   profileLists,
	"AnEventAndTheProfilesItChangesAreStoredTogether": eventsWithProfiles,
	"OfConcurrentChangesOfAProfileNoneIsLost":         profileRaces,
	"AnEventKeepsTheProfileThatItWasMatchedBy":        eventProfiles,
	"AttributeRulesAreListedByName":                   attributeRules,
	"SegmentsAreListedByID":                           segments,
	"CampaignsAndCapsAreListedTogether":               campaigns,
	"ResultsAddUpByHourAndByDay":                      resultsByTime,
	"ChangesOfDefinitionsAreCounted":                  peopleVersions,
}

// profile returns one with every field set.
func profile(tenant, subject string, revision int64) webhook.Profile {
	return webhook.Profile{
		Tenant: tenant, Subject: subject, Attributes: json.RawMessage(`{"plan":"gold","n":1e400,"tags":["ünï"]}`),
		Computed: json.RawMessage(`{"flights":{"g":"a","v":5}}`), Revision: revision, UpdatedAt: afterStart(1),
	}
}

// oddSubjects are as long and as strange as subjects may be.
var oddSubjects = []string{"u1", "u1#0", "!x", "a/b c", strings.Repeat("日", 512), strings.Repeat("日", 511) + "x"}

func profilesBySubject(t *testing.T, store Store) {
	for _, subject := range oddSubjects {
		check(t, store.SaveProfile(t.Context(), profile("acme", subject, 1)))
	}
	got := must[map[string]webhook.Profile](t)(store.Profiles(t.Context(), "acme", append(slices.Clone(oddSubjects), "none")))
	want := map[string]webhook.Profile{}
	for _, subject := range oddSubjects {
		want[subject] = profile("acme", subject, 1)
	}
	same(t, "profiles", got, want)
	same(t, "another tenant's", must[map[string]webhook.Profile](t)(store.Profiles(t.Context(), "other", oddSubjects)), map[string]webhook.Profile{})
}

func profileRevisions(t *testing.T, store Store) {
	check(t, store.SaveProfile(t.Context(), profile("acme", "u1", 1)))
	wantError(t, "the first revision again", store.SaveProfile(t.Context(), profile("acme", "u1", 1)), webhook.ErrConflict)
	wantError(t, "the revision after the next", store.SaveProfile(t.Context(), profile("acme", "u1", 3)), webhook.ErrConflict)
	check(t, store.SaveProfile(t.Context(), profile("acme", "u1", 2)))
	check(t, store.DeleteProfile(t.Context(), "acme", "u1"))
	wantError(t, "a second deletion", store.DeleteProfile(t.Context(), "acme", "u1"), webhook.ErrNotFound)
	wantError(t, "the revision after the deleted one", store.SaveProfile(t.Context(), profile("acme", "u1", 3)), webhook.ErrConflict)
	check(t, store.SaveProfile(t.Context(), profile("acme", "u1", 1)))
}

func profileLists(t *testing.T, store Store) {
	want := slices.Clone(oddSubjects)
	for i := range 60 {
		want = append(want, fmt.Sprintf("user-%02d", i))
	}
	for _, subject := range want {
		check(t, store.SaveProfile(t.Context(), profile("acme", subject, 1)))
	}
	check(t, store.SaveProfile(t.Context(), profile("other", "u9", 1)))
	slices.Sort(want)
	for _, limit := range []int{1, 7, 250} {
		for _, desc := range []bool{false, true} {
			got := pagedProfiles(t, store, webhook.Page{Limit: limit, Desc: desc})
			slices.Sort(got)
			same(t, fmt.Sprintf("pages of %d", limit), got, want)
		}
	}
	shared, most := sharedProfiles(t, store)
	slices.Sort(shared)
	same(t, "all shares together", shared, want)
	same(t, "that no share has more than half", most <= len(want)/2, true)
	for _, forged := range []string{"x", "99.", "-1.x", "0.zz"} {
		_, _, err := store.PageProfiles(t.Context(), "acme", webhook.Page{Limit: 1, Position: forged})
		wantError(t, "the position "+forged, err, webhook.ErrNotFound)
	}
}

// sharedProfiles lists the shares of profiles one after the other.
func sharedProfiles(t *testing.T, store Store) (subjects []string, most int) {
	t.Helper()
	for share := range webhook.ProfileShares {
		n := 0
		for page := (webhook.Page{Limit: 7}); ; {
			found, next, err := store.PageProfileShare(t.Context(), "acme", share, page)
			check(t, err)
			for _, p := range found {
				subjects = append(subjects, p.Subject)
				n++
			}
			if page.Position = next; next == "" {
				break
			}
		}
		most = max(most, n)
	}
	return subjects, most
}

func pagedProfiles(t *testing.T, store Store, page webhook.Page) (subjects []string) {
	t.Helper()
	for {
		found, next, err := store.PageProfiles(t.Context(), "acme", page)
		check(t, err)
		if len(found) > page.Limit || len(found) < page.Limit && next != "" {
			t.Fatalf("a page of %d profiles, want %d unless it is the last", len(found), page.Limit)
		}
		for _, p := range found {
			same(t, "listed", p, profile("acme", p.Subject, 1))
			subjects = append(subjects, p.Subject)
		}
		if page.Position = next; next == "" {
			return subjects
		}
	}
}

func eventsWithProfiles(t *testing.T, store Store) {
	e := event("acme", "e1", start)
	_, created, err := store.CreateEvent(t.Context(), e, profile("acme", "u1", 1), profile("acme", "u2", 1))
	check(t, err)
	same(t, "created", created, true)
	_, created, err = store.CreateEvent(t.Context(), e, profile("acme", "u1", 2))
	check(t, err)
	same(t, "created again", created, false)
	again := event("acme", "e2", start)
	_, _, err = store.CreateEvent(t.Context(), again, profile("acme", "u1", 2), profile("acme", "u2", 3))
	wantError(t, "a profile that is not the next revision", err, webhook.ErrConflict)
	_, err = store.Event(t.Context(), "acme", again.Source, again.ID)
	wantError(t, "the event beside it", err, webhook.ErrNotFound)
	got := must[map[string]webhook.Profile](t)(store.Profiles(t.Context(), "acme", []string{"u1", "u2"}))
	same(t, "profiles", got, map[string]webhook.Profile{"u1": profile("acme", "u1", 1), "u2": profile("acme", "u2", 1)})
}

func profileRaces(t *testing.T, store Store) {
	const writers = 8
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for {
				known, err := store.Profiles(t.Context(), "acme", []string{"u1"})
				if err == nil {
					e := event("acme", fmt.Sprint("e", i), start)
					_, _, err = store.CreateEvent(t.Context(), e, profile("acme", "u1", known["u1"].Revision+1))
				}
				if err == nil {
					return
				}
				if !errors.Is(err, webhook.ErrConflict) && !errors.Is(err, webhook.ErrBusy) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	known := must[map[string]webhook.Profile](t)(store.Profiles(t.Context(), "acme", []string{"u1"}))
	same(t, "revision", known["u1"].Revision, int64(writers))
}

func eventProfiles(t *testing.T, store Store) {
	e := event("acme", "e1", start)
	e.Profile = json.RawMessage(`{"plan":"gold","text":"` + strings.Repeat("é", 9000) + `"}`)
	_, _, err := store.CreateEvent(t.Context(), e)
	check(t, err)
	got := must[webhook.StoredEvent](t)(store.Event(t.Context(), "acme", e.Source, e.ID))
	same(t, "profile", string(got.Profile), string(e.Profile))
	check(t, store.ExpungeEvent(t.Context(), "acme", e.Source, e.ID))
	got = must[webhook.StoredEvent](t)(store.Event(t.Context(), "acme", e.Source, e.ID))
	same(t, "profile once expunged", string(got.Profile), "")
}

func attributeRules(t *testing.T, store Store) {
	rule := func(name string) webhook.AttributeRule {
		return webhook.AttributeRule{Tenant: "acme", Name: name, Spec: json.RawMessage(`{"keep":"count"}`), Generation: "g1", Kept: name == "b", UpdatedAt: afterStart(1)}
	}
	for _, name := range []string{"c", "a b", "b", "c"} {
		check(t, store.PutAttributeRule(t.Context(), rule(name)))
	}
	list := func(limit int) []webhook.AttributeRule {
		return must[[]webhook.AttributeRule](t)(store.AttributeRules(t.Context(), "acme", limit))
	}
	same(t, "rules", list(9), []webhook.AttributeRule{rule("a b"), rule("b"), rule("c")})
	same(t, "two rules", list(2), []webhook.AttributeRule{rule("a b"), rule("b")})
	check(t, store.DeleteAttributeRule(t.Context(), "acme", "b"))
	wantError(t, "a second deletion", store.DeleteAttributeRule(t.Context(), "acme", "b"), webhook.ErrNotFound)
	same(t, "rules afterwards", list(9), []webhook.AttributeRule{rule("a b"), rule("c")})
}

func segments(t *testing.T, store Store) {
	segment := func(id string) webhook.Segment {
		return webhook.Segment{Tenant: "acme", ID: id, Name: "ünï " + id, Filter: json.RawMessage(`{"profile":{"plan":["gold"]}}`), UpdatedAt: afterStart(1)}
	}
	same(t, "created", must[bool](t)(store.PutSegment(t.Context(), segment("vip"))), true)
	same(t, "created again", must[bool](t)(store.PutSegment(t.Context(), segment("vip"))), false)
	same(t, "created", must[bool](t)(store.PutSegment(t.Context(), segment("eu"))), true)
	list := func() []webhook.Segment { return must[[]webhook.Segment](t)(store.Segments(t.Context(), "acme", 9)) }
	same(t, "segments", list(), []webhook.Segment{segment("eu"), segment("vip")})
	check(t, store.DeleteSegment(t.Context(), "acme", "eu"))
	wantError(t, "a second deletion", store.DeleteSegment(t.Context(), "acme", "eu"), webhook.ErrNotFound)
	same(t, "segments afterwards", list(), []webhook.Segment{segment("vip")})
}

func campaigns(t *testing.T, store Store) {
	campaign := func(id string, revision int64) webhook.Campaign {
		return webhook.Campaign{Tenant: "acme", ID: id, Life: "l", Spec: json.RawMessage(`{"name":"ünï"}`), Revision: revision, CreatedAt: afterStart(1), UpdatedAt: afterStart(int(revision))}
	}
	cap := func(name string, revision int64) webhook.Cap {
		return webhook.Cap{Tenant: "acme", Name: name, Life: "l", Spec: json.RawMessage(`{"max":1}`), Revision: revision, CreatedAt: afterStart(1), UpdatedAt: afterStart(int(revision))}
	}
	for _, id := range []string{"b", "a"} {
		check(t, store.SaveCampaign(t.Context(), campaign(id, 1)))
		check(t, store.SaveCap(t.Context(), cap(id, 1)))
	}
	wantError(t, "the first revision again", store.SaveCampaign(t.Context(), campaign("a", 1)), webhook.ErrConflict)
	wantError(t, "the revision after the next", store.SaveCap(t.Context(), cap("a", 3)), webhook.ErrConflict)
	check(t, store.SaveCampaign(t.Context(), campaign("a", 2)))
	check(t, store.SaveCap(t.Context(), cap("b", 2)))
	all, caps, err := store.Campaigns(t.Context(), "acme", 9)
	check(t, err)
	same(t, "campaigns", all, []webhook.Campaign{campaign("a", 2), campaign("b", 1)})
	same(t, "caps", caps, []webhook.Cap{cap("a", 1), cap("b", 2)})
	check(t, store.DeleteCampaign(t.Context(), "acme", "a"))
	check(t, store.DeleteCap(t.Context(), "acme", "b"))
	wantError(t, "a second deletion of a campaign", store.DeleteCampaign(t.Context(), "acme", "a"), webhook.ErrNotFound)
	wantError(t, "a second deletion of a cap", store.DeleteCap(t.Context(), "acme", "b"), webhook.ErrNotFound)
	all, caps, err = store.Campaigns(t.Context(), "acme", 9)
	check(t, err)
	same(t, "campaigns afterwards", all, []webhook.Campaign{campaign("b", 1)})
	same(t, "caps afterwards", caps, []webhook.Cap{cap("a", 1)})
	all, caps, err = store.Campaigns(t.Context(), "other", 9)
	check(t, err)
	same(t, "another tenant's", len(all)+len(caps), 0)
}

func peopleVersions(t *testing.T, store Store) {
	for want := range int64(3) {
		same(t, "people", must[webhook.TenantState](t)(store.TenantState(t.Context(), "acme")).People, want)
		check(t, store.PeopleChanged(t.Context(), "acme"))
	}
	wantError(t, "the tenant that nobody made known", store.FindTenant(t.Context(), "acme"), webhook.ErrNotFound)
	same(t, "another's", must[webhook.TenantState](t)(store.TenantState(t.Context(), "other")).People, int64(0))
}

func resultsByTime(t *testing.T, store Store) {
	of := webhook.ResultsOf{Tenant: "acme", Campaign: "spring"}
	add := func(of webhook.ResultsOf, at time.Time, n int64) {
		check(t, store.AddResults(t.Context(), webhook.Results{Of: of, At: at, Counts: map[string]int64{"sent": n, "waiting": -n}}))
	}
	hour := start.Truncate(24 * time.Hour)
	for i, n := range []int64{1, 2, 4} {
		add(of, hour.Add(time.Duration(i)*time.Hour), n)
		add(of, hour.Add(time.Duration(i)*time.Hour), n)
	}
	add(of, hour.Add(24*time.Hour), 8)
	add(webhook.ResultsOf{Tenant: "acme", Subscription: "spring"}, hour, 100)
	add(webhook.ResultsOf{Tenant: "other", Campaign: "spring"}, hour, 100)
	row := func(at time.Time, n int64) webhook.Results {
		return webhook.Results{Of: of, At: at, Counts: map[string]int64{"sent": n, "waiting": -n}}
	}
	// Local reads do not lag, and the test server's do not either.
	same(t, "hours", must[[]webhook.Results](t)(store.Results(t.Context(), of, hour, hour.Add(2*time.Hour), false)), []webhook.Results{row(hour, 2), row(hour.Add(time.Hour), 4)})
	same(t, "days", must[[]webhook.Results](t)(store.Results(t.Context(), of, hour, hour.Add(48*time.Hour), true)), []webhook.Results{row(hour, 14), row(hour.Add(24*time.Hour), 8)})
	sketch := func(day int, revision int64) webhook.Sketch {
		return webhook.Sketch{Of: of, Day: hour.AddDate(0, 0, day), Kind: "sent", Data: []byte{0, 1, 255}, Revision: revision}
	}
	check(t, store.SaveSketch(t.Context(), sketch(0, 1)))
	check(t, store.SaveSketch(t.Context(), sketch(1, 1)))
	check(t, store.SaveSketch(t.Context(), sketch(1, 2)))
	wantError(t, "a revision again", store.SaveSketch(t.Context(), sketch(1, 2)), webhook.ErrConflict)
	same(t, "sketches", must[[]webhook.Sketch](t)(store.Sketches(t.Context(), of, "sent", hour, hour.AddDate(0, 0, 2))), []webhook.Sketch{sketch(0, 1), sketch(1, 2)})
	same(t, "those of another kind", len(must[[]webhook.Sketch](t)(store.Sketches(t.Context(), of, "matched", hour, hour.AddDate(0, 0, 2)))), 0)
}
