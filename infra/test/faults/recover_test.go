package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// job is what the API says of a job.
type job struct {
	ID     string
	Status string
	Counts struct{ Matched, Sent, Skipped int }
}

func (p *process) job(t *testing.T, method, path, body string, want int) (j job) {
	t.Helper()
	status, answer := p.call(t.Context(), http.DefaultClient, method, path, body)
	if err := json.Unmarshal(answer, &j); err != nil || status != want {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return j
}

// TestKillingItInTheMiddleOfARecoverCountsAndLosesNothing: what is exhausted is
// sent again by a job whose process is killed over and over.
func TestKillingItInTheMiddleOfARecoverCountsAndLosesNothing(t *testing.T) {
	t.Parallel()
	data, l := filepath.Join(t.TempDir(), "data"), newLedger()
	r := newReceiver(t, l)
	p := startSkewed(t, data, time.Nanosecond)
	r.status.Store(422)
	r.subscribe(t, p, "s", `,"retry":{"schedule":[],"permanent":["422"]}`)
	events := 100 + 60*deaths()
	publishSome(t, p, "failed", events, l)
	began := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if n := p.ended(t, "exhausted"); n == events {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d of %d are exhausted", n, events)
		}
	}
	r.status.Store(200)
	j := p.job(t, "POST", "/subscriptions/s/recover", fmt.Sprintf(`{"after":"%s"}`, began), 202)
	skew := time.Duration(0)
	p = killDuring(t, p, r, 40, func() *process {
		skew += 2 * time.Minute // beyond the claims of the last life
		return startSkewed(t, data, skew)
	})
	l.settle(t)
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		j = p.job(t, "GET", "/jobs/"+j.ID, "", 200)
		if j.Status != "running" || time.Now().After(deadline) {
			break
		}
	}
	if j.Status != "done" || j.Counts.Matched != events || j.Counts.Sent+j.Counts.Skipped != events {
		t.Errorf("the job says %+v of %d deliveries", j, events)
	}
	if err := p.terminate(); err != nil {
		t.Error(err)
	}
}

// ended counts deliveries of a status.
func (p *process) ended(t *testing.T, status string) (n int) {
	t.Helper()
	for cursor := ""; ; {
		code, answer := p.call(t.Context(), http.DefaultClient, "GET", "/deliveries?limit=250&status="+status+cursor, "")
		var page struct {
			Data []struct{ ID string }
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal(answer, &page); err != nil || code != 200 {
			t.Fatalf("list: %d %s", code, answer)
		}
		if n += len(page.Data); page.Next == nil {
			return n
		}
		cursor = "&cursor=" + *page.Next
	}
}
