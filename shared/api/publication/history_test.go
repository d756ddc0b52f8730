package publication_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/webhook"
)

// publish reads a request to publish.
func publish(header, media, body string) (publication.Publication, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	if header != "" {
		r.Header.Set("postino-mode", header)
	}
	return publication.Read(&httpapi.Request{Request: r, Tenant: "acme"}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
}

func TestAnEventSaysThatItIsOfThePast(t *testing.T) {
	const plain = "application/json"
	for _, tt := range []struct {
		header, media, body string
		want                webhook.History
	}{
		{"", plain, `{"type":"a","data":1}`, 0},
		{"", plain, `{"type":"a","data":1,"history":true}`, webhook.HistoryAll},
		{"", plain, `{"type":"a","data":1,"history":["counts","attributes"]}`, webhook.HistoryAttributes | webhook.HistoryCounts},
		{"history", plain, `{"type":"a","data":1,"time":"1999-01-01T00:00:00Z"}`, webhook.HistoryAll},
		{"history", plain, `{"type":"a","data":1,"history":false}`, 0},
		{"history=attributes, claims", plain, `[{"type":"a","data":1}]`, webhook.HistoryAttributes | webhook.HistoryClaims},
		{"history=counts", "application/cloudevents+json", `{"specversion":"1.0","id":"1","source":"/s","type":"a"}`, webhook.HistoryCounts},
	} {
		p, err := publish(tt.header, tt.media, tt.body)
		if err != nil || p.Events[0].History != tt.want {
			t.Errorf("postino-mode %q, %s: %v, %v, want %v", tt.header, tt.body, p.Events, err, tt.want.Names())
		}
	}
	for _, tt := range []struct{ header, body, want string }{
		{"hsitory", `{"type":"a","data":1}`, "postino-mode"},
		{"history=", `{"type":"a","data":1}`, "postino-mode"},
		{"history=count", `{"type":"a","data":1}`, `did you mean "counts"?`},
		{"", `{"type":"a","data":1,"history":"yes"}`, "history"},
		{"", `{"type":"a","data":1,"history":[]}`, "history"},
		{"", `{"type":"a","data":1,"history":["counts","claim"]}`, `history[1]`},
		{"", `[{"type":"a","id":"1","data":1},{"type":"a","id":"1","data":1,"history":true}]`, "[1].id"},
	} {
		_, err := publish(tt.header, plain, tt.body)
		if err == nil || !strings.Contains(string(httpapi.Encode(err)), strings.ReplaceAll(tt.want, `"`, `\"`)) {
			t.Errorf("postino-mode %q, %s: %s, want %s named", tt.header, tt.body, httpapi.Encode(err), tt.want)
		}
	}
}
