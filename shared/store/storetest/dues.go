package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

var dueCases = map[string]func(*testing.T, Store){
	"EveryFieldComesBack":            dueFields,
	"ArePutOnce":                     dueRepeats,
	"AreToldApartByEveryField":       dueIdentity,
	"AreFoundInTheirMinuteOnly":      dueMinutes,
	"PageInOrderOfTime":              duePages,
	"AreDeletedWithoutTheirSiblings": dueDeletes,
	"AreCountedUpToALimit":           dueCount,
	"PageOnThroughTheirDeletion":     sweptDues,
	"ArePutByManyAtOnce":             racingDues,
}

// minute is when most of the cases' pointers are due.
var minute = start.Add(90 * time.Minute)

func due(id string, at time.Time) webhook.Due {
	return webhook.Due{At: at, Kind: webhook.DueRetry, Tenant: "acme", Subscription: "s", ID: id, Round: 2, Step: 5}
}

func putDues(t *testing.T, store Store, dues ...webhook.Due) {
	t.Helper()
	checkAll(t, race(len(dues), func(i int) error { return store.PutDue(t.Context(), dues[i]) }))
}

// dueIn returns all pointers of a minute, over all shards.
func dueIn(t *testing.T, store Store, minute time.Time, limit int) (found []webhook.Due) {
	t.Helper()
	for shard := range webhook.DueShards {
		found = append(found, dueInShard(t, store, minute, shard, limit)...)
	}
	return found
}

func dueInShard(t *testing.T, store Store, minute time.Time, shard, limit int) []webhook.Due {
	t.Helper()
	found := must[[]webhook.Due](t)(all(func(p webhook.Page) ([]webhook.Due, string, error) {
		return store.DueAt(t.Context(), minute, shard, p.Position, p.Limit)
	}, webhook.Page{Limit: limit}))
	ordered(t, fmt.Sprintf("pointers of shard %d", shard), found, false, func(d webhook.Due) int64 { return d.At.UnixNano() })
	return found
}

// wantDues compares what a minute holds, in any order.
func wantDues(t *testing.T, store Store, minute time.Time, limit int, want ...webhook.Due) {
	t.Helper()
	name := func(d webhook.Due) string { return fmt.Sprintf("%+v at %d", d, d.At.UnixNano()) }
	for i := range want {
		want[i].At = want[i].At.UTC()
	}
	found := dueIn(t, store, minute, limit)
	for i := range found {
		found[i].At = found[i].At.UTC()
	}
	same(t, "pointers of "+minute.Format(time.TimeOnly), sortedNames(found, name), sortedNames(want, name))
}

func dueFields(t *testing.T, store Store) {
	dues := []webhook.Due{
		due("dlv_1", minute.Add(123456789)),
		{At: minute.Add(time.Second), Kind: webhook.DueLine, Tenant: "acme", Subscription: "s"},
		{At: minute.Add(time.Second), Kind: webhook.DueTimer, Tenant: "acme", Subscription: "s", ID: "tmr_#/|é", Round: 1 << 40},
		{At: minute.Add(time.Second), Kind: webhook.DueJob, Tenant: "acme", ID: "job_1"},
	}
	putDues(t, store, dues...)
	wantDues(t, store, minute, 10, dues...)
}

func dueRepeats(t *testing.T, store Store) {
	d := due("dlv_1", minute.Add(time.Second))
	elsewhere := d
	elsewhere.At = d.At.In(time.FixedZone("", 3600))
	for range 3 {
		putDues(t, store, d, elsewhere)
	}
	wantDues(t, store, minute, 10, d)
}

func dueIdentity(t *testing.T, store Store) {
	d := due("dlv_1", minute.Add(time.Second))
	dues := slices.Repeat([]webhook.Due{d}, 8)
	dues[1].At = d.At.Add(1)
	dues[2].Kind = webhook.DueTimer
	dues[3].Tenant = "other"
	dues[4].Subscription = "t"
	dues[5].ID = "dlv_2"
	dues[6].Round++
	dues[7].Step++
	putDues(t, store, dues...)
	wantDues(t, store, minute, 10, dues...)
	for i := range dues {
		check(t, store.DeleteDue(t.Context(), dues[i:i+1]))
		wantDues(t, store, minute, 10, dues[i+1:]...)
	}
}

func dueMinutes(t *testing.T, store Store) {
	first, last := due("first", minute), due("last", minute.Add(time.Minute-1))
	before, after := due("before", minute.Add(-1)), due("after", minute.Add(time.Minute))
	far := due("far", minute.AddDate(0, 1, 0))
	putDues(t, store, first, last, before, after, far)
	wantDues(t, store, minute, 10, first, last)
	wantDues(t, store, minute.Add(-time.Minute), 10, before)
	wantDues(t, store, minute.Add(time.Minute), 10, after)
	wantDues(t, store, minute.Add(2*time.Minute), 10)
	wantDues(t, store, minute.AddDate(0, 1, 0), 10, far)
}

func duePages(t *testing.T, store Store) {
	var dues []webhook.Due
	for i, id := range numbered("dlv_", 200) {
		dues = append(dues, due(id, minute.Add(time.Duration(i%7)*time.Second)))
	}
	putDues(t, store, dues...)
	for _, limit := range []int{1, 3, 100, 1000} {
		wantDues(t, store, minute, limit, dues...)
	}
}

// sweptDues deletes each page before it asks for the next, as sweep does.
func sweptDues(t *testing.T, store Store) {
	var dues, found []webhook.Due
	for i, id := range numbered("dlv_", 100) {
		dues = append(dues, due(id, minute.Add(time.Duration(i%5)*time.Second)))
	}
	putDues(t, store, dues...)
	for shard := range webhook.DueShards {
		for position := ""; ; {
			page, next, err := store.DueAt(t.Context(), minute, shard, position, 3)
			check(t, err)
			check(t, store.DeleteDue(t.Context(), page))
			found = append(found, page...)
			if position = next; next == "" {
				break
			}
		}
	}
	name := func(d webhook.Due) string { return d.ID }
	same(t, "swept pointers", sortedNames(found, name), sortedNames(dues, name))
	wantDues(t, store, minute, 10)
}

func dueDeletes(t *testing.T, store Store) {
	var dues []webhook.Due
	for i, id := range numbered("dlv_", 80) {
		dues = append(dues, due(id, minute.Add(time.Duration(i)*time.Millisecond)))
	}
	putDues(t, store, dues...)
	for range 2 {
		check(t, store.DeleteDue(t.Context(), append(dues[:60:60], dues[0], due("absent", minute))))
		wantDues(t, store, minute, 10, dues[60:]...)
	}
	check(t, store.DeleteDue(t.Context(), nil))
	putDues(t, store, dues[0])
	wantDues(t, store, minute, 10, append(dues[60:], dues[0])...)
}

func dueCount(t *testing.T, store Store) {
	ctx := t.Context()
	check(t, store.RaiseLowWater(ctx, minute.Add(-time.Hour)))
	var dues []webhook.Due
	for i, id := range numbered("dlv_", 30) {
		dues = append(dues, due(id, minute.Add(time.Duration(i%3)*time.Minute+10*time.Second)))
	}
	putDues(t, store, dues...)
	for _, tt := range []struct {
		through time.Duration
		limit   int
		want    int
	}{
		{-time.Minute, 100, 0}, {50 * time.Second, 100, 10}, {110 * time.Second, 100, 20}, {time.Hour, 100, 30}, {time.Hour, 7, 7}, {50 * time.Second, 10, 10},
	} {
		check(t, eventually(func() error {
			got, err := store.CountDue(ctx, minute.Add(tt.through), tt.limit)
			if err == nil && got != tt.want {
				err = fmt.Errorf("CountDue(%v, %d) = %d, want %d", tt.through, tt.limit, got, tt.want)
			}
			return err
		}))
	}
	check(t, store.DeleteDue(ctx, dues))
	if got := must[int](t)(store.CountDue(ctx, minute.Add(time.Hour), 100)); got != 0 {
		t.Errorf("CountDue after all were deleted = %d", got)
	}
}

func racingDues(t *testing.T, store Store) {
	d := due("dlv_1", minute.Add(time.Second))
	putDues(t, store, slices.Repeat([]webhook.Due{d}, 16)...)
	wantDues(t, store, minute, 10, d)
}
