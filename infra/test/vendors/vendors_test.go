package vendors

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server/servertest"
	"github.com/postino/postino/infra/tools/testserver"
)

const adminKey = servertest.AdminKey

// subscriptions are by preset what is special of each. All fail three times.
var subscriptions = map[string]string{
	"stripe":  `"signature":[{"preset":"stripe","secret":"s3cr3t-of-the-receiver"}]`,
	"github":  `"signature":[{"preset":"github","secret":{"raw":"s3cr3t-of-the-receiver"}}]`,
	"shopify": `"signature":[{"preset":"shopify","secret":"{{ secrets.receiver }}"}],"request":{"headers":{"X-Shopify-Topic":"orders/paid","X-Shopify-Shop-Domain":"a.myshopify.com","X-Shopify-API-Version":"2026-10","X-Shopify-Webhook-Id":"{{ delivery.id }}"}}`,
	"slack":   `"signature":[{"preset":"slack","secret":{"base64":"czNjcjN0LW9mLXRoZS1yZWNlaXZlcg=="}}]`,
	"svix":    `"signature":[{"preset":"svix","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]`,
	"twilio":  `"signature":[{"preset":"twilio","secret":"s3cr3t-of-the-receiver"}],"request":{"content_type":"application/x-www-form-urlencoded","body":"To={{ data.to | url_encode }}&Body={{ data.text | url_encode }}&From={{ subject | url_encode }}"}`,
	"own": `"signature":[{"header":"X-Own","text":"{{ method }}|{{ url }}|{{ timestamp }}|{{ body }}","hash":"sha512","encoding":"base64","prefix":"h=",
		"headers":{"X-Own-Time":"{{ timestamp }}"},"secret":{"base64":"AAECAw=="}}]`,
}

// callback is an attempt as a receiver got it.
type callback struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func TestTheVendorsLibrariesVerifyTheFirstAttemptAndTheFourth(t *testing.T) {
	installed, err := filepath.Abs(testserver.Require(t, "POSTINO_CLIENT_GENERATORS"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	attempts := map[string][]callback{}
	var address string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c := callback{address + r.RequestURI, map[string]string{}, string(body)}
		for name := range r.Header {
			c.Headers[strings.ToLower(name)] = r.Header.Get(name)
		}
		mu.Lock()
		defer mu.Unlock()
		preset := strings.TrimPrefix(r.URL.Path, "/")
		if attempts[preset] = append(attempts[preset], c); len(attempts[preset]) < 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer receiver.Close()
	address = receiver.URL

	s := serve(t)
	call(t, s, "PUT", "/secrets/receiver", `{"value":"s3cr3t-of-the-receiver"}`)
	for preset, special := range subscriptions {
		call(t, s, "PUT", "/subscriptions/"+preset, `{"url":"`+address+`/`+preset+`?to=a%20b","retry":{"schedule":["1m","9m","50m"]},`+special+`}`)
	}
	call(t, s, "POST", "/events", `{"type":"order.paid","subject":"ada","data":{"to":"+1 555","text":"größe & more"}}`)
	for _, wait := range []string{"2m", "12m", "1h"} {
		call(t, s, "POST", "", `{"advance":"`+wait+`"}`)
	}
	mu.Lock()
	defer mu.Unlock()
	kept := map[string][]callback{}
	for preset := range subscriptions {
		all := attempts[preset]
		if len(all) != 4 {
			t.Fatalf("%s had %d attempts, want 4", preset, len(all))
		}
		kept[preset] = []callback{all[0], all[3]}
	}
	judge(t, installed, kept)
}

// judge has the libraries verify callbacks: two of each of four presets a
// program.
func judge(t *testing.T, installed string, callbacks map[string][]callback) {
	t.Helper()
	dir := t.TempDir()
	text, err := json.Marshal(callbacks)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "callbacks.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{filepath.Join(installed, "python", "bin", "python"), "verify.py"}, {"node", "verify.mjs"}} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // of a machine that does much else
		defer cancel()
		cmd := exec.CommandContext(ctx, command[0], command[1], file)
		cmd.Dir = dir
		var trouble strings.Builder
		cmd.Stderr = &trouble
		if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != "8" {
			t.Errorf("%s: %v, prints %s, want 8 callbacks verified\n%s", command[1], err, out, trouble.String())
		}
	}
}

func serve(t *testing.T) string {
	return servertest.Start(t, servertest.StandStill, servertest.Quiet).URL()
}

// call calls a route of the tenant; without a path, the clock.
func call(t *testing.T, url, method, path, body string) {
	t.Helper()
	at := url + "/v1/tenants/acme" + path
	if path == "" {
		at = url + "/v1/clock"
	}
	r, err := http.NewRequestWithContext(t.Context(), method, at, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s, %v", method, path, answer.Status, text, err)
	}
}
