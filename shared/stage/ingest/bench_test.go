package ingest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/webhook"
)

// nowhere takes everything at once, so that what is measured is ours.
type nowhere struct{}

func (nowhere) EnsureTenant(context.Context, string) (bool, error) { return false, nil }
func (nowhere) PageTenants(context.Context, webhook.Page) ([]string, string, error) {
	return nil, "", nil
}
func (nowhere) FindTenant(context.Context, string) error    { return nil }
func (nowhere) Send(context.Context, []queue.Message) error { return nil }

// BenchmarkPublish measures a request from the router to the packed message,
// without network, queue and log.
func BenchmarkPublish(b *testing.B) {
	kilobyte := `{"type":"flight.booked","subject":"user-1","data":{"legs":[` + strings.Repeat(`{"from":"CDG","to":"JFK","price":410.5,"cabin":"economy"},`, 14) + `{"from":"A"}]}}`
	for _, bm := range []struct {
		name, body string
		events     int
	}{
		{"small", `{"type":"flight.booked","subject":"user-1","data":{"legs":2}}`, 1},
		{"1KB", kilobyte, 1},
		{"100x1KB", "[" + strings.Repeat(kilobyte+",", 99) + kilobyte + "]", 100},
	} {
		b.Run(bm.name, func(b *testing.B) {
			h := &ingest.Handler{Tenants: nowhere{}, Events: nowhere{}, Auth: httpapi.NewAdminKey(adminKey)}
			r := httptest.NewRequest("POST", "/v1/tenants/acme/events", nil)
			r.Header.Set("Authorization", "Bearer "+adminKey)
			r.Header.Set("Content-Type", "application/json")
			r.ContentLength = int64(len(bm.body))
			body := bytes.NewReader(nil)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset([]byte(bm.body))
				r.Body = io.NopCloser(body)
				if h.ServeHTTP(w, r); w.status != http.StatusAccepted {
					b.Fatalf("answer %d", w.status)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*bm.events), "ns/event")
		})
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
