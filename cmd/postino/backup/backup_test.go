package backup_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/backup"
	"github.com/postino/postino/cmd/postino/server"
)

const key = "admin-key-of-the-test"

func start(t *testing.T, data string) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: data, AdminKey: key, EgressAllow: "127.0.0.0/8", Version: "1.2.3", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s *server.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// ask makes a request for the tenant acme.
func ask(ctx context.Context, s *server.Server, method, path, body string) (status int, answer string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, s.URL()+"/v1/tenants/acme"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func must(t *testing.T, s *server.Server, method, path, body string) string {
	t.Helper()
	status, answer, err := ask(t.Context(), s, method, path, body)
	if err != nil || status >= 300 {
		t.Fatalf("%s %s = %d %s, %v", method, path, status, answer, err)
	}
	return answer
}

// subscriber notes the ids of the events that come, and refuses them for as long
// as it is closed.
type subscriber struct {
	*httptest.Server
	open atomic.Bool
	mu   sync.Mutex
	came map[string]bool // by path and event id
}

func newSubscriber(t *testing.T) *subscriber {
	s := &subscriber{came: map[string]bool{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.open.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.came[r.URL.Path+" "+r.Header.Get("postino-event-id")] = true
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *subscriber) missing(want map[string]bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range want {
		if !s.came[id] {
			n++
		}
	}
	return n
}

// acknowledged is what was published.
type acknowledged struct {
	mu  sync.Mutex
	ids []string
}

func (a *acknowledged) until() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.ids...)
}

// publish publishes events without end.
func (a *acknowledged) publish(ctx context.Context, s *server.Server, name string) {
	for n := 0; ctx.Err() == nil; n++ {
		id := fmt.Sprint(name, "-", n)
		body := fmt.Sprintf(`{"id":%q,"source":"/test","type":"order.paid","data":{"text":%q}}`, id, strings.Repeat(id, 200))
		if status, _, err := ask(ctx, s, "POST", "/events", body); err == nil && status == http.StatusAccepted {
			a.mu.Lock()
			a.ids = append(a.ids, id)
			a.mu.Unlock()
		}
	}
}

// TestABackupHasAllThatWasAcknowledgedBeforeIt: made while events are published,
// some of which wait for a pause to end, others for a retry.
func TestABackupHasAllThatWasAcknowledgedBeforeIt(t *testing.T) {
	dir, to := t.TempDir(), newSubscriber(t)
	s := start(t, filepath.Join(dir, "data"))
	must(t, s, "PUT", "/subscriptions/paused", fmt.Sprintf(`{"url":%q,"types":["order.paid"],"state":"paused"}`, to.URL+"/paused"))
	must(t, s, "PUT", "/subscriptions/failing", fmt.Sprintf(`{"url":%q,"types":["order.late"],"retry":{"schedule":["5s","5s","5s","5s","5s","5s"]}}`, to.URL+"/failing"))
	must(t, s, "POST", "/events", `{"id":"late","source":"/test","type":"order.late","data":{}}`)
	var acked acknowledged
	ctx, end := context.WithCancel(t.Context())
	var publishers sync.WaitGroup
	for i := range 4 {
		publishers.Go(func() { acked.publish(ctx, s, fmt.Sprint(i)) })
	}
	for len(acked.until()) < 500 {
		time.Sleep(time.Millisecond)
	}
	before := acked.until()
	file := filepath.Join(dir, "one.backup")
	written, err := backup.Write(t.Context(), filepath.Join(dir, "data"), file, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	end()
	publishers.Wait()
	stop(t, s)

	restored, err := backup.Restore(t.Context(), file, filepath.Join(dir, "again"))
	if err != nil || restored.Rows != written.Rows || restored.Version != "1.2.3" {
		t.Fatalf("Restore = %+v, %v, want the %d rows of version 1.2.3", restored, err, written.Rows)
	}
	to.open.Store(true)
	s = start(t, filepath.Join(dir, "again"))
	defer stop(t, s)
	want := map[string]bool{"/failing late": true}
	for _, id := range before {
		want["/paused "+id] = true
	}
	must(t, s, "POST", "/subscriptions/paused/resume", "")
	for deadline := time.Now().Add(time.Minute); to.missing(want) > 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if n := to.missing(want); n > 0 {
		t.Errorf("%d of %d deliveries of the backup did not arrive, want all that was acknowledged before it", n, len(want))
	}
	var event struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, s, "GET", "/events/"+before[0]+"?source=/test", "")), &event); err != nil || event.ID != before[0] {
		t.Errorf("the event is %+v, %v, want %s", event, err, before[0])
	}
	t.Logf("%d of %d events were acknowledged before; %d rows in %d bytes", len(before), len(acked.until()), written.Rows, written.Bytes)
}

// small is a backup of a server that has stored a little, and its folder.
func small(t *testing.T) (file, data string) {
	t.Helper()
	dir := t.TempDir()
	data, file = filepath.Join(dir, "data"), filepath.Join(dir, "small.backup")
	s := start(t, data)
	must(t, s, "PUT", "/subscriptions/s", `{"url":"https://example.com/hooks"}`)
	stop(t, s)
	if _, err := backup.Write(t.Context(), data, file, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	return file, data
}
