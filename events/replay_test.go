package events_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/aws/awslambda"
	"github.com/postino/postino/shared/platform/aws/sqsqueue"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/stage/manage"
	"github.com/postino/postino/shared/stage/sweep"
	"github.com/postino/postino/verify"
)

var update = flag.Bool("update", false, "write what a stage sends into the next stage's invocation")

// The time and the key of the invocations.
const key = "put-your-admin-key-here"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// outbox is a queue that keeps what it is sent.
type outbox struct{ messages []queue.Message }

func (o *outbox) Send(_ context.Context, messages []queue.Message) error {
	o.messages = append(o.messages, messages...)
	return nil
}

// take returns the one message that was sent.
func (o *outbox) take(t *testing.T) queue.Message {
	t.Helper()
	if len(o.messages) != 1 {
		t.Fatalf("%d messages were sent, want 1", len(o.messages))
	}
	m := o.messages[0]
	o.messages = nil
	return m
}

// subscriber stands for https://loyalty.example: it asks for an hour's patience.
type subscriber struct {
	request *http.Request
	body    []byte
}

func (s *subscriber) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	s.request, s.body = r, body
	header := http.Header{"Retry-After": {"3600"}}
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: header, Body: http.NoBody, Request: r}, err
}

// The invocations tell one story: manage subscribes, ingest takes an event,
// fanout finds the subscriber, delivery posts and is asked to come back in an
// hour, sweep sends the retry.
func TestEachInvocationLeadsToTheNext(t *testing.T) {
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	sealer, err := secret.NewSealer(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	var packs, deliveries, retries, others outbox
	var hook subscriber
	now := noon
	clock := func() time.Time { return now }
	auth, log := httpapi.NewAdminKey(key), slog.New(slog.NewTextHandler(t.Output(), nil))
	guard := &egress.Guard{}

	manages := &manage.Handler{Store: store, Resend: &others, Secrets: sealer, Destinations: guard, Auth: auth, Now: clock, Log: log}
	created := invoke(t, awslambda.HTTP(manages), "manage.json")
	if created.StatusCode != http.StatusCreated {
		t.Fatalf("manage answers %d %s, want 201", created.StatusCode, created.Body)
	}

	ingests := &ingest.Handler{Tenants: store, Events: &packs, Auth: auth, Now: clock, Log: log}
	accepted := invoke(t, awslambda.HTTP(ingests), "ingest.json")
	if accepted.StatusCode != http.StatusAccepted {
		t.Fatalf("ingest answers %d %s, want 202", accepted.StatusCode, accepted.Body)
	}
	carries(t, "fanout.json", packs.take(t), packOf)

	fans := &fanout.Fanout{Store: store, Events: &others, Deliveries: &deliveries, Now: clock, Log: log}
	invokeBatch(t, fans.Handle, "fanout.json")
	carries(t, "delivery.json", deliveries.take(t), firstOf)

	delivers := &delivery.Deliverer{
		Store: store, Retries: &retries, Resend: &others, Exhausted: &others,
		Client: &hook, Class: egress.Class, Secrets: sealer, Now: clock, Version: "test", Log: log,
	}
	invokeBatch(t, delivers.Handle, "delivery.json")
	hook.verify(t, created.Body)
	if len(retries.messages) > 0 {
		t.Fatalf("a retry in an hour was queued, but no queue waits so long")
	}

	sweeps := &sweep.Sweeper{Store: store, Retries: &retries, Resend: &others, Events: &packs, Now: clock, Log: log}
	for ; now.Before(noon.Add(58 * time.Minute)); now = now.Add(time.Minute) { // the time in sweep.json
		if err := sweeps.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(retries.messages) > 0 {
		t.Fatalf("the retry was sent more than two minutes early")
	}
	invoke(t, noAnswer(awslambda.Schedule(sweeps.Sweep)), "sweep.json")
	if m := retries.take(t); m.Delay != 2*time.Minute {
		t.Errorf("sweep sends the retry with a delay of %v, want 2m", m.Delay)
	}
	if len(others.messages) > 0 {
		t.Errorf("%d messages went to another queue", len(others.messages))
	}
}

// read returns an invocation's file.
func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// invoke hands an invocation to a handler as Lambda does.
func invoke[In, Out any](t *testing.T, handler func(context.Context, In) (Out, error), file string) Out {
	t.Helper()
	var in In
	if err := json.Unmarshal(read(t, file), &in); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	out, err := handler(t.Context(), in)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out
}

func noAnswer[In any](handler func(context.Context, In) error) func(context.Context, In) (struct{}, error) {
	return func(ctx context.Context, in In) (struct{}, error) { return struct{}{}, handler(ctx, in) }
}

func invokeBatch(t *testing.T, handle awslambda.QueueHandler, file string) {
	t.Helper()
	if out := invoke(t, awslambda.Queue(slog.New(slog.DiscardHandler), sqsqueue.Decode, handle), file); len(out.BatchItemFailures) > 0 {
		t.Fatalf("%s: %d messages failed", file, len(out.BatchItemFailures))
	}
}

// carries holds an invocation to the message that the stage before it sends, or
// writes that message into it. What is chosen by chance is left out by meaning.
func carries(t *testing.T, file string, sent queue.Message, meaning func(t *testing.T, body []byte) any) {
	t.Helper()
	text := read(t, file)
	var batch events.SQSEvent
	if err := json.Unmarshal(text, &batch); err != nil || len(batch.Records) != 1 {
		t.Fatalf("%s: %v, %d records, want 1", file, err, len(batch.Records))
	}
	record := batch.Records[0]
	if *update {
		text = bytes.Replace(text, quoted(t, record.Body), quoted(t, sqsqueue.Encode(sent.Body)), 1)
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	body, err := sqsqueue.Decode(record.Body)
	if err != nil {
		t.Fatalf("%s: %v; go test ./events -update writes it anew", file, err)
	}
	if diff := cmp.Diff(meaning(t, sent.Body), meaning(t, body)); diff != "" {
		t.Errorf("%s is not what is sent (-sent +file); go test ./events -update writes it anew:\n%s", file, diff)
	}
	if got := record.Attributes["MessageGroupId"]; got != sent.Group {
		t.Errorf("%s: MessageGroupId %q, want %q", file, got, sent.Group)
	}
}

func quoted(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func packOf(t *testing.T, body []byte) any {
	t.Helper()
	p, err := message.DecodeAs[message.Pack](body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Events {
		p.Events[i].Nonce = ""
	}
	return p
}

func firstOf(t *testing.T, body []byte) any {
	t.Helper()
	f, err := message.DecodeAs[message.FirstAttempt](body)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// verify looks at the callback as its receiver should; created is the answer
// that held the secret.
func (s *subscriber) verify(t *testing.T, created string) {
	t.Helper()
	var answer struct{ Secret string }
	if err := json.Unmarshal([]byte(created), &answer); err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(answer.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if s.request == nil {
		t.Fatal("delivery made no request")
	}
	if err := v.Verify(s.request.Header, s.body); err != nil {
		t.Error(err)
	}
	if got := s.request.URL.String(); got != "https://loyalty.example/hooks" {
		t.Errorf("the callback went to %s", got)
	}
}

// Whoever adds a function adds its invocation, and a step to the story above.
func TestEachFunctionHasAnInvocation(t *testing.T) {
	doors, err := os.ReadDir("../functions")
	if err != nil {
		t.Fatal(err)
	}
	var functions, files []string
	for _, d := range doors {
		if d.Name() != "internal" {
			functions = append(functions, d.Name())
		}
	}
	invocations, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range invocations {
		if name, ok := strings.CutSuffix(f.Name(), ".json"); ok {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	if diff := cmp.Diff(functions, files); diff != "" {
		t.Errorf("functions and invocations (-functions +invocations):\n%s", diff)
	}
}
