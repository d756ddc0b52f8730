// Package storetest is the test suite for stores: it runs everything that the
// stages rely on against an adapter.
package storetest

import (
	"testing"

	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/measure/results"
	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/expunge"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/stage/job"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/stage/sweep"
)

// Store is all that any stage asks of storage.
type Store interface {
	apikey.Store
	ingest.Tenants
	ingest.Types
	fanout.Store
	delivery.Store
	manage.Store
	sweep.Store
	trigger.Store
	expunge.Store
	job.Store
	stats.Store
	results.Store
}

// suite is every case, by what it is about.
var suite = []struct {
	about string
	cases map[string]func(*testing.T, Store)
}{
	{"Subscriptions", subscriptionCases},
	{"ChangeLog", changeLogCases},
	{"Events", eventCases},
	{"Plans", planCases},
	{"Replays", replayCases},
	{"Deliveries", deliveryCases},
	{"Groups", groupCases},
	{"Parts", partCases},
	{"Occasions", occasionCases},
	{"Expunge", expungeCases},
	{"EventLists", eventListCases},
	{"DeliveryLists", deliveryListCases},
	{"Subjects", subjectCases},
	{"HeadLists", headListCases},
	{"Positions", positionCases},
	{"Lines", lineCases},
	{"Offers", offerCases},
	{"Leases", leaseCases},
	{"Health", healthCases},
	{"Tallies", tallyCases},
	{"Reservations", reservationCases},
	{"Dues", dueCases},
	{"LowWater", lowWaterCases},
	{"Tenants", tenantCases},
	{"TriggerState", triggerStateCases},
	{"Secrets", secretCases},
	{"Keys", keyCases},
	{"Origins", originCases},
	{"EventTypes", eventTypeCases},
	{"People", peopleCases},
	{"Stats", statsCases},
	{"Jobs", jobCases},
	{"Purge", purgeCases},
}

// Run tries every case on a store of its own: open returns an empty one and
// closes it by t.Cleanup. A store may answer [webhook.ErrBusy] when many write
// at once, and its lists may lag by some seconds; nothing else is forgiven.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, group := range suite {
		t.Run(group.about, func(t *testing.T) {
			for name, try := range group.cases {
				t.Run(name, func(t *testing.T) { try(t, open(t)) })
			}
		})
	}
}
