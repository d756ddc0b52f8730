package job_test

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/job"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// stores are those that jobs run on.
var stores = map[string]func(t *testing.T) storetest.Store{
	"local mode": func(t *testing.T) storetest.Store {
		db, err := engine.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		store := localstore.In(db)
		return store
	},
	"DynamoDB": func(t *testing.T) storetest.Store {
		client := dynamodb.NewFromConfig(aws.Config{
			Region: testserver.Region, BaseEndpoint: aws.String(testserver.DynamoDB(t)),
			Credentials: credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
		}, dynamostore.Options)
		table := "postino-" + cryptorand.Text()
		if err := dynamostore.CreateTable(t.Context(), client, table); err != nil {
			t.Fatal(err)
		}
		return dynamostore.New(client, table)
	},
}

// onEachStore runs a test on all of them.
func onEachStore(t *testing.T, test func(t *testing.T, w *world)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			test(t, &world{t: t, seed: store, store: store, clock: base, wakes: map[string]int{}})
		})
	}
}

var base = time.Now().UTC().Truncate(time.Millisecond)

// world is a store, a clock that stands still, and the two queues.
type world struct {
	t       *testing.T
	seed    storetest.Store // without faults
	store   storetest.Store // as the worker sees it
	clock   time.Time
	pending []queue.Message // for resend, undone
	events  []queue.Message // what sends published
	wakes   map[string]int  // messages for retries, by delivery
	refuse  func(what string) error
	watch   func(webhook.Job) // sees the job after each slice
	busiest int               // wakes within one second
}

func (w *world) worker() *job.Worker {
	return &job.Worker{Store: w.store, Resend: sender{w, "resend"}, Retries: sender{w, "retries"}, Events: sender{w, "events"}, Now: func() time.Time { return w.clock }}
}

type sender struct {
	w    *world
	name string
}

func (s sender) Send(_ context.Context, messages []queue.Message) error {
	if s.w.refuse != nil {
		if err := s.w.refuse(s.name); err != nil {
			return err
		}
	}
	if s.name == "resend" {
		s.w.pending = append(s.w.pending, messages...)
		return nil
	}
	if s.name == "events" {
		s.w.take(messages)
		return nil
	}
	perSecond := map[int64]int{}
	for _, m := range messages {
		again, err := message.DecodeAs[message.Attempt](m.Body)
		if err != nil {
			return err
		}
		s.w.wakes[fmt.Sprint(again.Delivery, " ", again.Round, " ", again.Step)]++
		second := int64(m.Delay / time.Second)
		perSecond[second]++
		s.w.busiest = max(s.w.busiest, perSecond[second])
	}
	return nil
}

// run does what the queue asks for until nothing is left; a message that failed
// comes again.
func (w *world) run() {
	w.t.Helper()
	for tries := 0; len(w.pending) > 0; tries++ {
		if tries > 10_000 {
			w.t.Fatal("no end")
		}
		m := w.pending[0]
		w.pending = w.pending[1:]
		asked, err := message.Decode(m.Body)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, second := asked.(message.Expunge); second {
			continue // delivery's affair
		}
		audit, isAudit := asked.(message.AuditJob)
		slice := message.JobSlice(audit)
		if !isAudit {
			slice = asked.(message.JobSlice)
		}
		w.clock = w.clock.Add(m.Delay)
		if err := w.worker().Work(w.t.Context(), slice, isAudit); err != nil {
			if w.refuse == nil {
				w.t.Fatal(err)
			}
			w.pending = append(w.pending, m)
		}
		if w.watch != nil {
			w.watch(w.job(slice.Tenant, slice.Job))
		}
	}
}

func (w *world) job(tenant, id string) webhook.Job {
	w.t.Helper()
	j, err := w.seed.Job(w.t.Context(), tenant, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// begin stores a job and asks for its first slice, as the API does.
func (w *world) begin(j webhook.Job) webhook.Job {
	w.t.Helper()
	j.Status, j.CreatedAt, j.UpdatedAt = webhook.JobRunning, w.clock, w.clock
	if j.Before.IsZero() {
		j.Before = w.clock
	}
	if err := w.seed.SaveJob(w.t.Context(), j); err != nil {
		w.t.Fatal(err)
	}
	w.pending = append(w.pending, queue.Message{Body: message.NextSlice(j).Encode()})
	return j
}

// finish runs a job to its end and returns it.
func (w *world) finish(j webhook.Job) webhook.Job {
	w.t.Helper()
	j = w.begin(j)
	w.run()
	return w.job(j.Tenant, j.ID)
}

func (w *world) subscribe(tenant, id string) webhook.Subscription {
	w.t.Helper()
	s, err := w.seed.SaveSubscription(w.t.Context(), webhook.Subscription{Tenant: tenant, ID: id, URL: "https://a.example", State: webhook.Active}, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// owed returns the n-th delivery of a subscription, a second after the one
// before, all of them in the hours before base.
func owed(s webhook.Subscription, n int, status webhook.Status) webhook.Delivery {
	accepted := base.Add(-100_000 * time.Second).Add(time.Duration(n) * time.Second).Truncate(time.Second)
	e := webhook.Event{Tenant: s.Tenant, ID: fmt.Sprint("e", n), Source: webhook.DefaultSource(s.Tenant), AcceptedAt: accepted}
	d := webhook.Delivery{
		Tenant: s.Tenant, ID: webhook.DeliveryID(s.Tenant, e.Key(), accepted, s.ID, ""), EventID: e.ID, EventSource: e.Source,
		Subscription: s.ID, Version: s.Version, Status: status, CreatedAt: accepted, Round: n % 3, Step: 2, Attempts: 2, Digest: "made",
	}
	if status != webhook.Pending {
		d.EndedAt = accepted.Add(time.Minute)
	}
	return d
}

// owe stores deliveries 0 to n-1, each of the status that the function gives.
func (w *world) owe(s webhook.Subscription, n int, status func(i int) webhook.Status) {
	w.t.Helper()
	var g errgroup.Group
	g.SetLimit(64)
	for i := range n {
		g.Go(func() error { return w.seed.SaveDelivery(w.t.Context(), owed(s, i, status(i)), webhook.Parts{}) })
	}
	if err := g.Wait(); err != nil {
		w.t.Fatal(err)
	}
}

func always(s webhook.Status) func(int) webhook.Status {
	return func(int) webhook.Status { return s }
}

// scale is how many deliveries a test takes: all of the proof, or what is
// enough to go round a few times.
func scale(proof, usual int) int {
	if os.Getenv("POSTINO_PROVE") != "" {
		return proof
	}
	return usual
}

var errFault = errors.New("injected fault")

// dice lets one of so many calls fail.
func dice(sides int) func(string) error {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(1, 2))
	return func(string) error {
		mu.Lock()
		defer mu.Unlock()
		if rng.IntN(sides) == 0 {
			return errFault
		}
		return nil
	}
}
