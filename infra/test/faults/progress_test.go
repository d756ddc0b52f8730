package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// progressing is a job as far as it is.
type progressing struct {
	ID       string  `json:"id"`
	Status   string  `json:"status"`
	Progress float64 `json:"progress"`
	Counts   struct{ Matched, Sent, Skipped int }
}

// ask makes a request that must be answered so.
func (p *process) ask(want int, method, path, body string, into any) {
	p.t.Helper()
	status, answer := p.call(p.t.Context(), http.DefaultClient, method, path, body)
	if status != want {
		p.t.Fatalf("%s %s = %d %s, want %d", method, path, status, answer, want)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		p.t.Fatal(err)
	}
}

// TestARecoverThatIsKilledFinishesWithExactCounts kills the process in the
// middle of a recover, again and again. All that failed is sent again, one round
// each, and the job counts every delivery once.
func TestARecoverThatIsKilledFinishesWithExactCounts(t *testing.T) {
	n, kills := 1_200, 2
	if os.Getenv("POSTINO_PROVE") != "" {
		n, kills = 25_000, 10
	}
	var well atomic.Bool
	var mu sync.Mutex
	arrived := map[string]bool{}
	subscriber := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !well.Load() {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		arrived[r.Header.Get("Webhook-Id")] = true
	}))
	defer subscriber.Close()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	p.ask(201, "PUT", "/subscriptions/s", `{"url":"`+subscriber.URL+`","retry":{"schedule":[],"permanent":["400"]}}`, &struct{}{}) // which opens no breaker
	for sent := 0; sent < n; {
		var events []string
		for ; len(events) < 500 && sent < n; sent++ {
			events = append(events, fmt.Sprintf(`{"type":"a","id":"e%d","data":%d}`, sent, sent))
		}
		p.ask(202, "POST", "/events", "["+strings.Join(events, ",")+"]", &struct{}{})
	}
	const since = `{"after":"2020-01-01T00:00:00Z"`
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if dry := p.recover(since + `,"dry_run":true}`); dry.Counts.Matched == n {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d of %d have failed", dry.Counts.Matched, n)
		}
	}
	well.Store(true)
	var j progressing
	p.ask(202, "POST", "/subscriptions/s/recover", since+`}`, &j)
	for j.Status == "running" {
		last := j
		time.Sleep(100 * time.Millisecond)
		if kills > 0 && j.Counts.Sent > 0 {
			p.kill()
			p, kills = start(t, data), kills-1
		}
		p.ask(200, "GET", "/jobs/"+j.ID, "", &j)
		if j.Counts.Sent < last.Counts.Sent || j.Progress < last.Progress {
			t.Errorf("job went from %+v to %+v", last, j)
		}
	}
	if j.Status != "done" || j.Counts.Matched != n || j.Counts.Sent != n || j.Counts.Skipped != 0 || kills > 0 {
		t.Errorf("job ended as %+v with %d kills to go, want %d matched and sent", j, kills, n)
	}
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		mu.Lock()
		got := len(arrived)
		mu.Unlock()
		if got == n {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d arrived", got, n)
		}
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// recover starts a recover and waits for its end.
func (p *process) recover(body string) (j progressing) {
	p.t.Helper()
	p.ask(202, "POST", "/subscriptions/s/recover", body, &j)
	for j.Status == "running" {
		time.Sleep(20 * time.Millisecond)
		p.ask(200, "GET", "/jobs/"+j.ID, "", &j)
	}
	return j
}
