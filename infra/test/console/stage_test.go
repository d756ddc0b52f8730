package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/verify"
)

const (
	adminKey = servertest.AdminKey
	tenant   = "acme"
)

// stage is a server, and a receiver of what it calls.
type stage struct {
	*server.Server
	receiver string

	mu   sync.Mutex
	came map[string][]callback // by path
}

type callback struct {
	header http.Header
	body   []byte
}

func play(t *testing.T) *stage {
	t.Helper()
	t.Parallel() // a browser waits more than it works
	s := &stage{came: map[string][]callback{}}
	receiver := httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(receiver.Close)
	s.receiver = receiver.URL
	s.Server = servertest.Start(t, servertest.Quiet)
	return s
}

// final are answers that end a delivery, by the path after /ok.
var final = map[string]int{"/gone": http.StatusGone, "/final": http.StatusUnprocessableEntity}

// receive answers 503 to what comes to /broken, what final says, and success to the rest.
func (s *stage) receive(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.came[r.URL.Path] = append(s.came[r.URL.Path], callback{r.Header, body})
	s.mu.Unlock()
	w.Header().Set("X-Receiver", planted("answer header"))
	if strings.HasPrefix(r.URL.Path, "/broken") {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "down for repair "+planted("answer"))
		return
	}
	if status, ends := final[strings.TrimPrefix(r.URL.Path, "/ok")]; ends {
		w.WriteHeader(status)
		return
	}
	io.WriteString(w, `{"ok":true}`)
}

// verified returns the callbacks that came to a path, if all are well signed.
func (s *stage) verified(t *testing.T, path, subscription string) []callback {
	t.Helper()
	var held struct{ Secret string }
	s.call(t, http.MethodGet, "/subscriptions/"+subscription+"/secret", "", &held)
	verifier, err := verify.New(held.Secret)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.came[path] {
		if err := verifier.Verify(c.header, c.body); err != nil {
			t.Errorf("a callback to %s: %v", path, err)
		}
	}
	return s.came[path]
}

// call makes a request of the API, which must succeed.
func (s *stage) call(t *testing.T, method, path, body string, answer any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+"/v1/tenants/"+tenant+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s is answered %s %s", method, path, resp.Status, text)
	}
	if answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// browse plays testdata/story.mjs in the browser. It gets what it needs to know
// as JSON; what it finds wrong it says, line by line.
func (s *stage) browse(t *testing.T, story string, more map[string]any) {
	t.Helper()
	told := map[string]any{
		"url": s.URL(), "key": adminKey, "tenant": tenant, "receiver": s.receiver,
		"chromium": testserver.Require(t, "POSTINO_CHROMIUM"), "packages": testserver.Require(t, "POSTINO_CONSOLE_PACKAGES"),
		"screenshots": pictures(t),
	}
	for name, value := range more {
		told[name] = value
	}
	text, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // of a machine that does much else
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join("testdata", story+".mjs"))
	cmd.Env = append(os.Environ(), "POSTINO_STORY="+string(text))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Errorf("%s: %v\n%s", story, err, &said)
		return
	}
	t.Logf("%s", &said)
}

// pictures is the folder for pictures of the screens; "" for none.
func pictures(t *testing.T) string {
	folder := os.Getenv("POSTINO_SCREENSHOTS")
	if folder == "" {
		return ""
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// planted is text that would run if a page took it for more than text.
func planted(where string) string {
	return fmt.Sprintf(`<img src=x onerror="window.planted='%[1]s'"><script>window.planted='%[1]s'</script>`, where)
}
