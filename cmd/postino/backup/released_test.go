package backup_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postino/postino/cmd/postino/backup"
	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localtable"
	"github.com/postino/postino/shared/store/table"
)

var update = flag.Bool("update", false, "write testdata/released/unreleased.backup anew")

const (
	released   = "testdata/released"
	unreleased = "unreleased" // what the next release writes
)

// versions are the releases in the changelog, and the next.
func versions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{unreleased}
	for _, found := range regexp.MustCompile(`(?m)^## \[?v?(\d+\.\d+\.\d+[^\s\]]*)`).FindAllStringSubmatch(string(text), -1) {
		all = append(all, found[1])
	}
	return all
}

func fileOf(version string) string { return filepath.Join(released, version+".backup") }

// folder restores what a version wrote.
func folder(t *testing.T, version string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := backup.Restore(t.Context(), fileOf(version), dir); err != nil {
		t.Fatalf("%v; each release has its file there: rename %s.backup when you make one", err, unreleased)
	}
	return dir
}

// TestTheFormatOfDataIsThatOfTheNextRelease: whoever changes what is stored sees
// it here, and decides what becomes of folders that releases have written.
func TestTheFormatOfDataIsThatOfTheNextRelease(t *testing.T) {
	if *update {
		writeUnreleased(t)
	}
	was := folder(t, unreleased)
	text, err := os.ReadFile(filepath.Join(released, unreleased+".seals.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sealed seals
	if err := json.Unmarshal(text, &sealed); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	store(t, dir, sealed)
	want, got := rows(t, was), rows(t, dir)
	var keys []string
	for _, all := range []map[string]string{want, got} {
		for key := range all {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if want[key] != got[key] {
			t.Errorf("row %s is stored as\n%s, and was\n%s", key, got[key], want[key])
		}
	}
	if t.Failed() {
		t.Errorf("the format of stored data has changed. If %s.backup is of a release, rename it to that version first: it must still be served. "+
			"Then: go test ./cmd/postino/backup -run Data -update", unreleased)
	}
}

// TestDataOfEveryReleaseIsServed: a server opens the folder of each, knows all that
// is in it, opens the secrets, and sends what waits.
func TestDataOfEveryReleaseIsServed(t *testing.T) {
	for _, version := range versions(t) {
		t.Run(version, func(t *testing.T) {
			data := folder(t, version)
			began := time.Now()
			s, err := server.Start(t.Context(), server.Config{
				Addr: "127.0.0.1:0", Data: data, AdminKey: key, EgressAllow: "127.0.0.0/8", Version: "1.2.3", Log: slog.New(slog.DiscardHandler),
				Skew: func() time.Duration { return stored.Add(10 * time.Minute).Sub(began) },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer stop(t, s)
			knows(t, s)
			sends(t, s)
		})
	}
}

// knows asks for one of each noun.
func knows(t *testing.T, s *server.Server) {
	t.Helper()
	for _, tt := range []struct{ path, want string }{
		{"/subscriptions/shop", `"state":"paused"`},
		{"/subscriptions/shop", `"numeric":[">",1]`},
		{"/subscriptions/shop/secret", signingSecret},
		{"/stats?subscription=shop&after=2026-11-30T11:00:00Z", `"made":3`},
		{"/subscriptions?limit=10", `"name":"Shop"`},
		{"/events/waits?source=/shop", `"total":7`},
		{"/events?subject=ada", `"id":"failed"`},
		{"/deliveries?status=exhausted", `"event":"failed"`},
		{"/deliveries?subscription=shop&status=pending", `"waiting":"paused"`},
		{"/deliveries?subject=ada", `"event":"waits"`},
		{"/event-types/order.paid", `"description":"paid"`},
		{"/secrets", `"name":"token"`},
		{"/keys", `"id":"key_1"`},
		{"/profiles/ada", `"plan":"pro"`},
		{"/segments/pro", `"name":"Pro"`},
		{"/attributes/orders", `"order.paid"`},
		{"/jobs/job_01m8p3872c4ca3w20y77mw2dh8", `"status":"done"`},
	} {
		if got := must(t, s, "GET", tt.path, ""); !strings.Contains(got, tt.want) {
			t.Errorf("GET %s is %s, want %s in it", tt.path, got, tt.want)
		}
	}
}

// sends ends the pause, and looks at the callback.
func sends(t *testing.T, s *server.Server) {
	t.Helper()
	came := make(chan error, 10)
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			var verifier *standardwebhooks.Webhook
			if verifier, err = standardwebhooks.NewWebhook(signingSecret); err == nil {
				err = verifier.VerifyIgnoringTimestamp(body, r.Header)
			}
		}
		if token := r.Header.Get("X-Token"); err == nil && (token != namedSecret || r.Header.Get("postino-event-id") != "waits") {
			err = fmt.Errorf("the callback is of %s with the token %q", r.Header.Get("postino-event-id"), token)
		}
		came <- err
	}))
	defer to.Close()
	must(t, s, "PATCH", "/subscriptions/shop", fmt.Sprintf(`{"url":%q}`, to.URL))
	must(t, s, "POST", "/subscriptions/shop/resume", "")
	select {
	case err := <-came:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("no callback came of what waited")
	}
}

// rows are all that is in a folder: as bytes, and items with their fields too. The
// order of fields in an item is any, so its bytes are sorted.
func rows(t *testing.T, dir string) map[string]string {
	t.Helper()
	db, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]string{}
	err = db.Scan(engine.Span{}, func(key, value []byte) (bool, error) {
		value = bytes.Clone(value)
		switch key[0] {
		case 0: // counts writes
			return true, nil
		case 't': // an item
			slices.Sort(value)
		}
		all[fmt.Sprintf("%q", key)] = hex.EncodeToString(value)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = localtable.All(db, "", func(it table.Item) error {
		all["item "+it.Partition+"/"+it.Sort] = fmt.Sprintf("%q %v %q", it.Fields, it.Expires.Unix(), it.Index)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func writeUnreleased(t *testing.T) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "sealing.key"), []byte(sealingKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sealer, err := secret.FromFile(filepath.Join(data, "sealing.key"))
	if err != nil {
		t.Fatal(err)
	}
	sealed := newSeals(t, sealer)
	store(t, data, sealed)
	text, err := json.Marshal(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(released, unreleased+".seals.json"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	file := fileOf(unreleased)
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if _, err := backup.Write(t.Context(), data, file, unreleased); err != nil {
		t.Fatal(err)
	}
}
