package clients

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
	"github.com/postino/postino/verify"
)

const adminKey = servertest.AdminKey

// stage is a server and a receiver of what it calls.
type stage struct {
	*server.Server
	receiver string
	came     chan callback
}

type callback struct {
	header http.Header
	path   string
	body   []byte
}

func play(t *testing.T) *stage {
	s := &stage{came: make(chan callback, 10)}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.came <- callback{r.Header, r.URL.Path, body}
	}))
	t.Cleanup(receiver.Close)
	s.receiver = receiver.URL
	s.Server = servertest.Start(t, servertest.Quiet)
	return s
}

// delivered holds what a client printed, a delivery's id and the secret, to
// what the receiver got.
func (s *stage) delivered(t *testing.T, printed string) {
	t.Helper()
	var id, secret string
	if _, err := fmt.Sscan(printed, &id, &secret); err != nil {
		t.Fatalf("the client printed %q: %v", printed, err)
	}
	if len(s.came) != 1 {
		t.Fatalf("%d callbacks came, want 1", len(s.came))
	}
	c := <-s.came
	verifier, err := verify.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(c.header, c.body); err != nil {
		t.Error(err)
	}
	if got := c.header.Get("Webhook-Id"); got != id {
		t.Errorf("delivery %s came, the client read %s", got, id)
	}
	var got map[string]any // a client may write the keys of the subscription's body in another order
	if err := json.Unmarshal(c.body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"user": "bob", "points": 10.0, "reason": "flight 5, to LIS"}, got); diff != "" || c.path != "/points" {
		t.Errorf("%s got (-want +got):\n%s", c.path, diff)
	}
}

// workshop is a new folder that holds the document as it is served, and copies
// of some files.
func workshop(t *testing.T, s *stage, from string, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	answer, err := http.Get(s.URL() + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	document, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status, err)
	}
	write(t, filepath.Join(dir, "openapi.json"), string(document))
	if err := os.Mkdir(filepath.Join(dir, "postino"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		bring(t, filepath.Join(dir, name), filepath.Join(from, name))
	}
	return dir
}

// readme returns the subscription that the README begins with.
func readme(t *testing.T) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, "../../../README.md"), "<!-- subscription -->\n```json\n")
	text, _, ends := strings.Cut(text, "```")
	if !found || !ends {
		t.Fatal("the README has no subscription")
	}
	return text
}
