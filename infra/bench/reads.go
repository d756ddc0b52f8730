package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Of the scenario reads: how many deliveries are stored, and how much slower a
// route may be with many than with few.
const (
	fewDeliveries  = 10_000
	manyDeliveries = 1_000_000
	maxReadsSlower = 2
	readsEach      = 500 // of each route and size
	readsWarm      = 25  // before them, not counted
)

// readRoute is a read of the API; path gives one request of it.
type readRoute struct {
	name string
	path func(s *stock, random *rand.Rand) string
}

func always(path string) func(*stock, *rand.Rand) string {
	return func(*stock, *rand.Rand) string { return path }
}

// between is a list that begins at a random moment of all that are stored.
func between(list string) func(*stock, *rand.Rand) string {
	return func(s *stock, random *rand.Rand) string {
		return list + "before=" + s.moment(random).Format(time.RFC3339)
	}
}

var readRoutes = []readRoute{
	{"GET /events", always("/events")},
	{"… oldest first", always("/events?order=asc")},
	{"… from any moment", between("/events?")},
	{"… of one type in a hundred", always("/events?type=order.rare")},
	{"… of a type that nothing has", always("/events?type=order.none")},
	{"GET /events/{id}", func(s *stock, random *rand.Rand) string { return "/events/" + s.event(random) }},
	{"GET /deliveries", always("/deliveries")},
	{"… oldest first", always("/deliveries?order=asc")},
	{"… from any moment", between("/deliveries?")},
	{"… pending", always("/deliveries?status=pending")},
	{"… succeeded", always("/deliveries?status=succeeded")},
	{"… exhausted, from any moment", between("/deliveries?status=exhausted&")},
	{"… canceled, which nothing is", always("/deliveries?status=canceled")},
	{"… of a subscription", always("/deliveries?subscription=s7")},
	{"… of a subscription, from any moment", between("/deliveries?subscription=s7&")},
	{"… of a subscription, exhausted", always("/deliveries?subscription=s7&status=exhausted")},
	{"… of a subscription, succeeded", always("/deliveries?subscription=s7&status=succeeded")},
	{"… of an event", func(s *stock, random *rand.Rand) string { return "/deliveries?event=" + s.event(random) }},
	{"GET /deliveries/{id}", func(s *stock, random *rand.Rand) string { return "/deliveries/" + s.delivery(random) }},
	{"GET /subscriptions", always("/subscriptions")},
	{"GET /subscriptions/{id}", always("/subscriptions/s7")},
	{"GET /secrets", always("/secrets")},
	{"GET /event-types", always("/event-types")},
	{"GET /keys", always("/keys")},
	{"GET /jobs", always("/jobs")},
	{"GET /stats", always("/stats")},
}

// reads measures every read with few and with many deliveries stored, by two
// servers at the same time, whose requests take turns: so what else the machine
// does hits both.
func reads(ctx context.Context, b *bench, r *result) error {
	return b.compareReads(ctx, r, fewDeliveries, manyDeliveries, readsEach)
}

func (b *bench) compareReads(ctx context.Context, r *result, few, many, each int) error {
	var servers [2]*stocked
	for i, n := range []int{few, many} {
		s, err := b.stocked(ctx, n)
		if err != nil {
			return fmt.Errorf("server with %d deliveries: %w", n, err)
		}
		defer s.stop()
		servers[i] = s
	}
	worst := 0.0
	for _, route := range readRoutes {
		times, err := b.takeTurns(ctx, servers, route, each)
		if err != nil {
			return fmt.Errorf("%s: %w", route.name, err)
		}
		if times[0] == nil {
			continue // this build has no such route
		}
		small, large := percentile(times[0], 0.99), percentile(times[1], 0.99)
		ratio := float64(large) / float64(small)
		worst = max(worst, ratio)
		r.add(route.name+", p99", milliseconds(large), "ms")
		r.atMost(fmt.Sprintf("  ÷ with %d", few), ratio, "", maxReadsSlower)
		r.add("  p50 ÷ p50", float64(percentile(times[1], 0.5))/float64(percentile(times[0], 0.5)), "")
	}
	r.atMost("the worst ratio", worst, "", maxReadsSlower)
	return nil
}

// takeTurns asks both servers in turn and returns their times, sorted.
func (b *bench) takeTurns(ctx context.Context, servers [2]*stocked, route readRoute, each int) (times [2][]time.Duration, err error) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range each + readsWarm {
		for i, s := range servers {
			path := "/v1/tenants/" + tenant + route.path(s.stock, random)
			begun := time.Now()
			_, err := s.target.call(ctx, http.MethodGet, path, "")
			if err != nil && n == 0 && strings.Contains(err.Error(), ": 404 ") {
				return times, nil
			}
			if err != nil {
				return times, err
			}
			if n >= readsWarm {
				times[i] = append(times[i], time.Since(begun))
			}
		}
	}
	times[0], times[1] = sorted(times[0]), sorted(times[1])
	fmt.Fprintf(b.progress, "  %s\n", route.name)
	return times, nil
}

// stocked is a server with its stock.
type stocked struct {
	target
	*stock
	data string
}

func (s *stocked) stop() {
	_ = s.target.stop()
	os.RemoveAll(s.data)
}

// stocked fills a data folder and starts a server on it.
func (b *bench) stocked(ctx context.Context, deliveries int) (*stocked, error) {
	data, err := os.MkdirTemp(b.dir, "stock-")
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(b.progress, "  storing %d deliveries …\n", deliveries)
	s, err := fill(ctx, filepath.Join(data, "data"), deliveries)
	if err != nil {
		os.RemoveAll(data)
		return nil, err
	}
	t, err := b.startOn(ctx, filepath.Join(data, "data"))
	if err != nil {
		os.RemoveAll(data)
		return nil, err
	}
	for route, body := range map[string]string{
		"/secrets/a": `{"value":"a"}`, "/event-types/order.a": `{}`,
	} {
		if _, err := t.call(ctx, http.MethodPut, "/v1/tenants/"+tenant+route, body); err != nil {
			return nil, err
		}
	}
	return &stocked{t, s, data}, s.check(ctx, t)
}

// check sees that the server shows what was stored.
func (s *stock) check(ctx context.Context, t target) error {
	answer, err := t.call(ctx, http.MethodGet, "/v1/tenants/"+tenant+"/events/"+s.event(rand.New(rand.NewPCG(3, 4))), "")
	if err != nil {
		return err
	}
	var event struct{ Counts map[string]int }
	if err := json.Unmarshal(answer, &event); err != nil {
		return err
	}
	sum := 0
	for _, n := range event.Counts {
		sum += n
	}
	if sum != deliveriesOfEach {
		return fmt.Errorf("an event has %d deliveries, want %d", sum, deliveriesOfEach)
	}
	return nil
}
