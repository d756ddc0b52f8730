package delivery_test

import (
	"container/heap"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/webhook"
)

// stores are those on which isolation must hold.
var stores = map[string]func(t *testing.T) storetest.Store{"local mode": inLocalMode, "DynamoDB": onDynamoDB}

func inLocalMode(t *testing.T) storetest.Store {
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	return store
}

func onDynamoDB(t *testing.T) storetest.Store {
	client := dynamodb.NewFromConfig(aws.Config{
		Region: testserver.Region, BaseEndpoint: aws.String(testserver.DynamoDB(t)),
		Credentials: credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
	}, dynamostore.Options)
	table := "postino-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), client, table); err != nil {
		t.Fatal(err)
	}
	return dynamostore.New(client, table)
}

// onEachStore runs a test on both.
func onEachStore(t *testing.T, test func(t *testing.T, y *yard)) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newYard(t, open(t), 8))
		})
	}
}

// yard is workers around one store, with queues and a clock of its own that
// leaps from one thing to the next: a day passes as fast as it is worked.
type yard struct {
	t       *testing.T
	store   storetest.Store // uncounted
	clock   time.Time
	workers []*delivery.Deliverer
	pending pending
	sent    int
	turn    int             // of the workers
	dues    map[string]bool // pointers that wait, each once
	answers func(path string) int
	loses   func(body string) bool // messages that the queues lose; nil for none
	owed    []string               // ids of deliveries, in order
	posts   []post
	mu      sync.Mutex     // for the next
	calls   map[string]int // to the store and the queues, by name
	counts  map[string]int // metrics
}

// post is what a subscriber got.
type post struct {
	path, id string
	at       time.Time
	status   int
}

// noon is when each yard begins.
var noon = time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)

func newYard(t *testing.T, store storetest.Store, workers int) *yard {
	y := &yard{t: t, store: store, clock: noon, dues: map[string]bool{}, calls: map[string]int{}, counts: map[string]int{}}
	y.answers = func(string) int { return 200 }
	counted := storetest.Faulty(store, func(method string) error { y.called(method); return nil }, nil)
	for range workers {
		y.workers = append(y.workers, &delivery.Deliverer{
			Store: yardStore{counted, y}, Retries: y, Resend: y, Exhausted: nowhere{}, Client: y,
			Class: func(error) webhook.ErrorClass { return webhook.ErrorReset },
			Now:   func() time.Time { return y.clock }, Count: func(name string, n int) { y.counts[name] += n },
			Version: "test", Log: slog.New(slog.DiscardHandler),
		})
	}
	return y
}

func (y *yard) called(method string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.calls[method]++
}

// yardStore turns due pointers into messages at their time, as sweep does.
type yardStore struct {
	storetest.Store
	y *yard
}

func (s yardStore) Reserve(ctx context.Context, sub webhook.SubscriptionRef, now, latest time.Time, length time.Duration) (time.Time, bool, error) {
	s.y.called("Reserve")
	return s.Store.Reserve(ctx, sub, now, latest, length)
}

func (s yardStore) PutDue(_ context.Context, due webhook.Due) error {
	s.y.called("PutDue")
	asked, err := message.OfDue(due)
	if err != nil {
		return err
	}
	if key := fmt.Sprint(due); !s.y.dues[key] {
		s.y.dues[key] = true
		s.y.push(asked.Encode(), due.At)
	}
	return nil
}

// Send is that of all queues.
func (y *yard) Send(_ context.Context, messages []queue.Message) error {
	y.called("Send")
	for _, m := range messages {
		if y.loses != nil && y.loses(string(m.Body)) {
			continue
		}
		y.push(m.Body, y.clock.Add(m.Delay))
	}
	return nil
}

type nowhere struct{}

func (nowhere) Send(context.Context, []queue.Message) error { return nil }

func (y *yard) push(body []byte, at time.Time) {
	y.sent++
	heap.Push(&y.pending, item{queue.Message{ID: fmt.Sprint("m", y.sent), Body: body}, at, y.sent})
}

// Do is the way to the subscribers.
func (y *yard) Do(r *http.Request) (*http.Response, error) {
	status := y.answers(r.URL.Path)
	y.posts = append(y.posts, post{r.URL.Path, r.Header.Get("Webhook-Id"), y.clock, status})
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// subscribe makes a subscription whose callbacks go to /id.
func (y *yard) subscribe(id string, change func(*webhook.Subscription)) webhook.Subscription {
	y.t.Helper()
	s := webhook.Subscription{
		Tenant: "acme", ID: id, URL: "https://a.example/" + id, Signing: "v1", State: webhook.Active,
		Retry: webhook.RetrySpec{Schedule: []string{"1m", "1h", "1d"}, Timeout: "5s", Success: []string{"2xx"}},
	}
	if change != nil {
		change(&s)
	}
	s, err := y.store.SaveSubscription(y.t.Context(), s, 0)
	if err != nil {
		y.t.Fatal(err)
	}
	return s
}

// deliver asks for the first attempt of the n-th event now.
func (y *yard) deliver(s webhook.Subscription, n int) string {
	source, event := "/tenants/acme", fmt.Sprint("e", n)
	id := webhook.DeliveryID("acme", webhook.EventKey(source, event), y.clock, s.ID, "")
	y.owed = append(y.owed, id)
	y.push(message.FirstAttempt{
		Tenant: "acme", ID: id, Event: event, Source: source, Created: y.clock, Subscription: s.ID, Version: s.Version,
		Target: webhook.Target{URL: webhook.Text{Plain: s.URL}}, Method: "POST", ContentType: "application/json", Body: `{"n":1}`,
	}.Encode(), y.clock)
	return id
}

// play works all that falls due until a time, by the workers in turn.
func (y *yard) play(until time.Time) {
	y.t.Helper()
	for len(y.pending) > 0 && !y.pending[0].at.After(until) {
		if y.pending[0].at.After(y.clock) {
			y.clock = y.pending[0].at
		}
		it := heap.Pop(&y.pending).(item)
		y.turn++
		if failed := y.workers[y.turn%len(y.workers)].Handle(y.t.Context(), []queue.Message{it.Message}); len(failed) > 0 {
			it.at = y.clock.Add(time.Minute) // the queue's visibility timeout
			heap.Push(&y.pending, it)
		}
	}
	if until.After(y.clock) {
		y.clock = until
	}
}

// takePosts returns what came to a path since the last look.
func (y *yard) takePosts(path string) (taken []post) {
	var left []post
	for _, p := range y.posts {
		if p.path == path {
			taken = append(taken, p)
		} else {
			left = append(left, p)
		}
	}
	y.posts = left
	return taken
}

func (y *yard) delivery(id string) webhook.Delivery {
	y.t.Helper()
	d, err := y.store.Delivery(y.t.Context(), "acme", id)
	if err != nil {
		y.t.Fatal(err)
	}
	return d
}

func (y *yard) head(id string) webhook.Head {
	y.t.Helper()
	heads, err := y.store.Heads(y.t.Context(), []webhook.SubscriptionRef{{Tenant: "acme", ID: id}})
	if err != nil {
		y.t.Fatal(err)
	}
	return heads[0]
}

// item is a message and when it can be received.
type item struct {
	queue.Message
	at  time.Time
	nth int
}

type pending []item

func (p pending) Len() int { return len(p) }
func (p pending) Less(i, j int) bool {
	if !p[i].at.Equal(p[j].at) {
		return p[i].at.Before(p[j].at)
	}
	return p[i].nth < p[j].nth
}
func (p pending) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *pending) Push(x any)   { *p = append(*p, x.(item)) }
func (p *pending) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// refusing is a way to subscribers on which one delivery is always refused.
type refusing struct {
	peer.Doer
	y  *yard
	id string
}

func (r *refusing) Do(req *http.Request) (*http.Response, error) {
	before := r.y.answers
	defer func() { r.y.answers = before }()
	if req.Header.Get("Webhook-Id") == r.id {
		r.y.answers = func(string) int { return 500 }
	}
	return r.Doer.Do(req)
}
