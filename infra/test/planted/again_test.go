package planted

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/postino/postino/shared/stage/manage"
)

// operational subscribes to what goes wrong: that must name no secret.
func (w *world) operational() {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.log.Write(fmt.Appendf(body, "\n%v\n", r.Header)) // is searched with the log
	}))
	w.Cleanup(s.Close)
	w.call(201, "PUT", "/subscriptions/ops", object("url", s.URL, "types", []string{"postino.*"}, "secret", w.signing("signing secret of ops", "v1")), shownTo("ops")...)
}

// told reports whether an operational event came.
func (w *world) told() bool {
	return bytes.Contains(w.log.bytes(), []byte(`"type":"postino.delivery.exhausted"`))
}

// again does again what was done, and takes it back.
func (w *world) again() {
	bad := w.first("bad")
	w.call(202, "POST", "/deliveries/"+bad+"/retry", "")
	w.call(202, "POST", "/events/good/replay", "")
	w.call(202, "POST", "/events/bad/replay", object("subscription", "bad"))
	w.call(202, "POST", "/subscriptions/bad/recover", object("after", "2020-01-01T00:00:00Z", "dry_run", true))
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(w.call(202, "POST", "/subscriptions/oauthwrong/recover", object("after", "2020-01-01T00:00:00Z"))), &made); err != nil {
		w.Fatal(err)
	}
	w.until("/jobs/"+made.ID, `"status":"done"`)
	w.call(200, "POST", "/subscriptions/nowhere/pause", "")
	w.call(202, "POST", "/events", object("type", "nowhere", "id", "waits", "subject", "ada", "data", object1("n", 1)))
	w.until("/deliveries?subscription=nowhere", `"waiting":"paused"`)
	w.call(200, "POST", "/subscriptions/nowhere/resume", "")
	w.reads(map[string]string{"events": "good", "subscriptions": "good", "deliveries": bad, "jobs": made.ID, "secrets": "plain", "event-types": "good"})
	w.call(204, "DELETE", "/subscriptions/header", "")
	w.call(200, "POST", "/events/good/expunge", "")
}

// first returns the id of a subscription's delivery.
func (w *world) first(subscription string) string {
	w.Helper()
	var page struct{ Data []struct{ ID string } }
	if err := json.Unmarshal([]byte(w.call(200, "GET", "/deliveries?subscription="+subscription, "")), &page); err != nil || len(page.Data) == 0 {
		w.Fatalf("no delivery of %s: %v", subscription, err)
	}
	return page.Data[0].ID
}

// reads asks every route that there is, with these ids by what they are of.
func (w *world) reads(ids map[string]string) {
	w.Helper()
	for _, route := range manage.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if method != "GET" || strings.HasSuffix(path, "/secret") {
			continue
		}
		of, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/tenants/{tenant}/"), "/")
		path = strings.NewReplacer("{tenant}", "acme", "{key}", "ada", "{id}", ids[of], "{name}", ids[of], "{type}", ids[of]).Replace(path)
		status, text := w.ask(w.adminKey, "GET", path, "")
		if status >= 500 {
			w.Errorf("GET %s = %d %s", path, status, text)
		}
	}
}
