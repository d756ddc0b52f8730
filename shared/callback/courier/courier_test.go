package courier

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/webhook"
	"github.com/postino/postino/verify"
)

// opened opens what is not sealed.
type opened struct{}

func (opened) Open(sealed []byte, _ ...string) ([]byte, error) { return sealed, nil }

// poster is a courier that has no named secrets.
func poster(t *testing.T, allow ...string) *Courier {
	t.Helper()
	guard := &egress.Guard{}
	for _, network := range allow {
		guard.Allow = append(guard.Allow, netip.MustParsePrefix(network))
	}
	return &Courier{
		Client: egress.NewClient(egress.NewTransport(guard, nil)), Class: egress.Class, Secrets: opened{}, Now: time.Now, Version: "1.2.3",
	}
}

func trialTo(t *testing.T, d *Courier, url, timeout string) webhook.Attempt {
	t.Helper()
	secret, err := signature.Generate(signature.V1)
	if err != nil {
		t.Fatal(err)
	}
	return trialWith(t, d, url, timeout, secret)
}

func trialWith(t *testing.T, d *Courier, url, timeout, secret string) webhook.Attempt {
	t.Helper()
	a, err := d.Test(t.Context(), webhook.Subscription{
		Tenant: "acme", ID: "s", URL: url, Retry: webhook.RetrySpec{Timeout: timeout},
		Secrets: []webhook.SigningSecret{{Scheme: "v1", Sealed: []byte(secret)}},
	}, webhook.Trial{
		Delivery: "dlv_1", Event: "evt_1", Target: webhook.Target{URL: webhook.Text{Plain: url}},
		Content: webhook.Content{Method: "POST", ContentType: "application/json", Body: webhook.Text{Plain: `{"a":1}`}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAPostCarriesWhatTheContractSays(t *testing.T) {
	var got http.Header
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	secret, _ := signature.Generate(signature.V1)
	trialWith(t, poster(t, "127.0.0.0/8"), s.URL, "5s", secret)
	v, err := verify.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Verify(got, body); err != nil {
		t.Errorf("verify: %v", err)
	}
	want := map[string]string{
		"Content-Type": "application/json", "User-Agent": "Postino/1.2.3", "Webhook-Id": "dlv_1", "Idempotency-Key": "dlv_1",
		"Postino-Event-Id": "evt_1", "Postino-Attempt": "1", "Postino-Test": "true",
	}
	for name, value := range want {
		if got.Get(name) != value {
			t.Errorf("%s = %q, want %q", name, got.Get(name), value)
		}
	}
}

func TestAnswersAreKeptWithinBounds(t *testing.T) {
	long := strings.Repeat("ä", 40<<10)
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		class  webhook.ErrorClass
		kept   int // bytes of the body, at most
	}{
		{"a success", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, long) }, 200, "", 256},
		{"a failure", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); io.WriteString(w, long) }, 500, webhook.ErrorStatus, 4 << 10},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, 302, webhook.ErrorStatus, 4 << 10},
		{"no text", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400); w.Write([]byte{0xff, 0, 'a'}) }, 400, webhook.ErrorStatus, 8},
		{"many headers", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 200 {
				w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 100))
			}
			w.WriteHeader(503)
		}, 503, webhook.ErrorStatus, 0},
	} {
		asked := 0
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++; tt.answer(w, r) }))
		a := trialTo(t, poster(t, "127.0.0.0/8"), s.URL, "5s")
		s.Close()
		size := 0
		for name, value := range a.Response.Headers {
			size += len(name) + len(value)
		}
		if a.StatusCode != tt.status || a.Error != tt.class || len(a.Response.Body) > tt.kept+3 || size > 4<<10 || asked != 1 {
			t.Errorf("%s: %d %q with %d bytes of body and %d of headers after %d requests, want %d %q, at most %d and 4096, after 1",
				tt.name, a.StatusCode, a.Error, len(a.Response.Body), size, asked, tt.status, tt.class, tt.kept)
		}
		if strings.ToValidUTF8(a.Response.Body, "") != a.Response.Body {
			t.Errorf("%s: kept %q, want valid UTF-8", tt.name, a.Response.Body)
		}
	}
}

func TestATruncatedBodyIsCutBetweenCharacters(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "a"+strings.Repeat("ä", 200)) }))
	defer s.Close()
	if body := trialTo(t, poster(t, "127.0.0.0/8"), s.URL, "5s").Response.Body; strings.ContainsRune(body, '\uFFFD') {
		t.Errorf("kept %q, want no replaced character", body)
	}
}

func TestTroubleHasAClassAndNoSecrets(t *testing.T) {
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }))
	defer hang.Close()
	drip := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer drip.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
	}))
	defer broken.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	tls.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	defer tls.Close()
	const token = "?token=s3cr3t"
	for _, tt := range []struct {
		name, url string
		allow     []string
		class     webhook.ErrorClass
	}{
		{"no answer", hang.URL, []string{"127.0.0.0/8"}, webhook.ErrorTimeout},
		{"an answer without end", drip.URL, []string{"127.0.0.0/8"}, webhook.ErrorTimeout},
		{"half an answer", broken.URL, []string{"127.0.0.0/8"}, webhook.ErrorReset},
		{"nobody there", "http://" + closed.Addr().String(), []string{"127.0.0.0/8"}, webhook.ErrorConnect},
		{"an unknown certificate", tls.URL, []string{"127.0.0.0/8"}, webhook.ErrorTLS},
		{"an address of ours", "https://127.0.0.1/x", nil, webhook.ErrorRefused},
	} {
		a := trialTo(t, poster(t, tt.allow...), tt.url+"/"+token, "1s")
		if a.Error != tt.class || a.Detail == "" {
			t.Errorf("%s: %q %q, want %q and words", tt.name, a.Error, a.Detail, tt.class)
		}
		if strings.Contains(a.Detail, "s3cr3t") {
			t.Errorf("%s: detail %q holds the url", tt.name, a.Detail)
		}
	}
	if diff := cmp.Diff(200, trialTo(t, poster(t, "127.0.0.0/8"), drip.URL, "1s").StatusCode); diff != "" {
		t.Errorf("status of an answer without end differs:\n%s", diff)
	}
}
