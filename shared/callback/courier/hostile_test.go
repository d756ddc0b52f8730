package courier

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/egress/egresstest"
	"github.com/postino/postino/shared/webhook"
)

// callers are all who ask somebody else's server for something.
var callers = []struct {
	name string
	ask  func(t *testing.T, d *Courier, url, friend string) (webhook.Attempt, error)
	want func(h egresstest.Hostile) webhook.ErrorClass
}{
	{"an attempt", attemptTo, func(h egresstest.Hostile) webhook.ErrorClass { return h.Want }},
	{"a test", func(t *testing.T, d *Courier, url, _ string) (webhook.Attempt, error) {
		return d.Test(t.Context(), hostileTo(t, url, ""), webhook.Trial{Target: target(url), Content: content})
	}, func(h egresstest.Hostile) webhook.ErrorClass { return h.Want }},
	{"a token's fetch", func(t *testing.T, d *Courier, url, friend string) (webhook.Attempt, error) {
		return d.Test(t.Context(), hostileTo(t, friend, url), webhook.Trial{Target: target(friend), Content: content})
	}, func(egresstest.Hostile) webhook.ErrorClass { return webhook.ErrorAuth }},
}

const hostileTimeout = 300 * time.Millisecond

var content = webhook.Content{Method: "POST", ContentType: "application/json", Body: webhook.Text{Plain: `{"a":1}`}}

func target(url string) webhook.Target { return webhook.Target{URL: webhook.Text{Plain: url}} }

// hostileTo is a subscription to url, with a token from tokenURL unless that is
// empty.
func hostileTo(t *testing.T, url, tokenURL string) webhook.Subscription {
	auth := `{"type":"bearer","token":"t"}`
	if tokenURL != "" {
		auth = `{"type":"oauth2","token_url":"` + tokenURL + `","client_id":"a","client_secret":"b"}`
	}
	s := authorized(t, url, auth)
	s.ID, s.Retry.Timeout = url+tokenURL, "300ms"
	return s
}

func attemptTo(t *testing.T, d *Courier, url, _ string) (webhook.Attempt, error) {
	s, err := Prepare(hostileTo(t, url, ""), d.Secrets)
	if err != nil {
		return webhook.Attempt{}, err
	}
	r, err := d.Post(t.Context(), s, Call{Delivery: "dlv_1", Event: "evt_1", Number: 1, Target: target(url), Content: content})
	return r.Attempt, err
}

// Each caller is done with each hostile server within the attempt's timeout and
// a second, and nothing of it stays.
func TestHostileServersHoldNobodyBeyondTheDeadline(t *testing.T) {
	log.SetOutput(io.Discard) // net/http tells of much
	defer log.SetOutput(os.Stderr)
	authority := egresstest.New(t, "hostile")
	friend, hostiles := egresstest.Friendly(t), authority.Hostiles()
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM([]byte(authority.PEM()))
	before, memory := runtime.NumGoroutine(), heap()
	var running sync.WaitGroup
	transports := make(chan *egress.Transport, len(hostiles)*len(callers))
	slots := make(chan struct{}, 8) // floods take the processor from each other
	for _, h := range hostiles {
		for _, c := range callers {
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				transport := egress.NewTransport(&egress.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, &tls.Config{RootCAs: trusted})
				transports <- transport
				d := poster(t)
				d.Client = egress.NewClient(transport)
				late := time.AfterFunc(hostileTimeout+time.Second, func() { t.Errorf("%s of %q is not done a second after its deadline", c.name, h.Name) })
				a, err := c.ask(t, d, h.URL, friend)
				late.Stop()
				if want := c.want(h); err != nil || a.Error != want && a.Error != webhook.ErrorTimeout && want != egresstest.Any { // a busy machine is late
					t.Errorf("%s of %q = %d %q (%s), %v, want %q", c.name, h.Name, a.StatusCode, a.Error, a.Detail, err, want)
				}
			})
		}
	}
	running.Wait()
	close(transports)
	goroutinesFall(t, before, slices.Collect(func(yield func(*egress.Transport) bool) {
		for transport := range transports {
			yield(transport)
		}
	}))
	const room = 8 << 20 // for what is cached, and for chance
	if now := heap(); now > memory+room {
		t.Errorf("%d bytes of heap after %d before", now, memory)
	}
}

// heap is what is in use once the garbage is gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// goroutinesFall waits until there are no more than before, once nothing is kept.
func goroutinesFall(t *testing.T, before int, kept []*egress.Transport) {
	t.Helper()
	const hang = 30 * time.Second
	for until := time.Now().Add(hang); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		for _, transport := range kept {
			transport.CloseIdleConnections()
		}
		if time.Now().After(until) {
			stacks := make([]byte, 1<<16)
			t.Errorf("%d goroutines after %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			return
		}
	}
}
