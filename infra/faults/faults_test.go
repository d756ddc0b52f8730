package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/verify"
)

// receiver verifies every callback and notes it in the ledger.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	verifier *verify.Verifier
}

func newReceiver(t *testing.T, l *ledger) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // the sender was killed
		}
		r.mu.Lock()
		v := r.verifier
		r.mu.Unlock()
		if err := v.Verify(req.Header, body); err != nil {
			l.reject("a callback is not genuine: " + err.Error())
		}
		l.arrive(req.Header.Get("Postino-Event-Id"), req.Header.Get("Webhook-Id"), string(body))
	}))
	t.Cleanup(r.Close)
	return r
}

// subscribe makes the subscription and learns its secret.
func (r *receiver) subscribe(t *testing.T, p *process) {
	t.Helper()
	status, answer := p.call(t.Context(), http.DefaultClient, "PUT", "/subscriptions/s", `{"url":"`+r.URL+`/hook"}`)
	var made struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(answer, &made); err != nil || status != 201 {
		t.Fatalf("subscribe: %d %s", status, answer)
	}
	v, err := verify.New(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifier = v
}

// publish publishes from many connections until stopped, and notes what was
// acknowledged.
func publish(ctx context.Context, p *process, l *ledger, round, connections int) {
	var wg sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for c := range connections {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("%d-%d-%d", round, c, n)
				status, _ := p.call(ctx, client, "POST", "/events", `{"type":"a.b","id":"`+id+`","data":{"n":"`+id+`"}}`)
				if status == http.StatusAccepted {
					l.accept(id)
				}
				if status == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestKillingItLosesNothingAcknowledged(t *testing.T) {
	rounds := 5
	if os.Getenv("POSTINO_PROVE") != "" {
		rounds = 200
	}
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	r := newReceiver(t, l)
	p := start(t, data)
	r.subscribe(t, p)
	for round := range rounds {
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { publish(ctx, p, l, round, 32) })
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond) // the moment is to be any
		p.kill()
		stop()
		done.Wait()
		p = start(t, data)
	}
	l.settle(t)
	t.Logf("%d events acknowledged over %d kills", len(l.accepted), rounds)
	if len(l.accepted) == 0 {
		t.Error("nothing was acknowledged: nothing is proven")
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

func TestTerminatingItDrains(t *testing.T) {
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	r := newReceiver(t, l)
	p := start(t, data)
	r.subscribe(t, p)
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { publish(ctx, p, l, 0, 8) })
	time.Sleep(300 * time.Millisecond)
	if err := p.terminate(); err != nil {
		t.Errorf("it ended with %v: %s", err, p.stderr)
	}
	stop()
	done.Wait()
	p = start(t, data)
	l.settle(t)
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

func TestASecondProcessOnTheSameDataIsRefused(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	if said := refused(t, data); !strings.Contains(said, data) {
		t.Errorf("it said %q, want the folder named", said)
	}
	if status, _ := p.call(t.Context(), http.DefaultClient, "GET", "/subscriptions", ""); status != 200 {
		t.Errorf("the first answers %d, want 200", status)
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// used returns a data folder that a process has used and left.
func used(t *testing.T) string {
	t.Helper()
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	p := start(t, data)
	newReceiver(t, l).subscribe(t, p)
	if err := p.terminate(); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDataWithoutItsSealingKeyIsRefused(t *testing.T) {
	data := used(t)
	key := filepath.Join(data, "sealing.key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if said := refused(t, data); !strings.Contains(said, key) {
		t.Errorf("it said %q, want %s named", said, key)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key was made: the old data can never be read again")
	}
}

func TestADamagedDatabaseIsRefused(t *testing.T) {
	for name, damage := range map[string]func(f *os.File, size int64) error{
		"no database at all": func(f *os.File, _ int64) error {
			_, err := f.WriteAt([]byte(strings.Repeat("not a database. ", 64)), 0)
			return err
		},
		"cut in the middle": func(f *os.File, size int64) error { return f.Truncate(size/2/4096*4096 + 100) },
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(used(t), "postino.db")
			f, err := os.OpenFile(file, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(f, info.Size()); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if said := refused(t, filepath.Dir(file)); !strings.Contains(said, file) {
				t.Errorf("it said %q, want %s named", said, file)
			}
		})
	}
}
