package ingest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/stage/ingest"
)

func TestWhatIsAcceptedIsInTheQueue(t *testing.T) {
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	store := localstore.In(db)
	set, err := localqueue.New(t.Context(), db, localqueue.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close(t.Context())
	events, err := set.Queue(t.Context(), "events", localqueue.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	h := &ingest.Handler{Tenants: store, Events: events, Auth: httpapi.NewAdminKey(adminKey)}
	accepted := publishMany(t, h, 16, 20)
	for len(accepted) > 0 {
		messages, err := events.Receive(t.Context(), 10, 5*time.Second)
		if err != nil || len(messages) == 0 {
			t.Fatalf("the queue holds nothing more, %d accepted events are missing (%v)", len(accepted), err)
		}
		for _, m := range messages {
			p, err := message.DecodeAs[message.Pack](m.Body)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Events {
				if data, ok := accepted[m.Group+"/"+e.ID]; !ok || data != string(e.Data) || e.Tenant != m.Group {
					t.Errorf("%s/%s holds %s, accepted %q", m.Group, e.ID, e.Data, data)
				}
				delete(accepted, m.Group+"/"+e.ID)
			}
		}
	}
}

// publishMany publishes from several callers at once, each to its own tenant,
// and returns the data accepted under tenant/id.
func publishMany(t *testing.T, h http.Handler, callers, each int) map[string]string {
	var mu sync.Mutex
	accepted := map[string]string{}
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			tenant := fmt.Sprint("t", c)
			for n := range each {
				data := fmt.Sprintf(`{"n": %d,"x":"%s"}`, n, strings.Repeat("x", n*100))
				got := do(t, h, "POST", "/v1/tenants/"+tenant+"/events", `{"type":"a","data":`+data+`}`)
				if got.status != 202 {
					t.Errorf("answer %d %s", got.status, got.body)
					return
				}
				mu.Lock()
				accepted[tenant+"/"+got.ID] = data
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return accepted
}
