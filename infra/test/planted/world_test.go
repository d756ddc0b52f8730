package planted

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/server"
)

// world is a server with planted secrets, and all that it says.
type world struct {
	*testing.T
	*server.Server
	data     string
	broken   func(bool) // makes the store fail at writes; nil if it cannot
	adminKey string
	secrets  []secret
	log      output // DEBUG, as JSON and as text
	said     []said
	sent     received // what left the server for subscribers and token endpoints
}

// said is one thing that people can see, and what it may show.
type said struct {
	where string
	text  []byte
	may   []string
}

// output is a buffer that many write to.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(b)
}

func (o *output) bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.all.Bytes())
}

// both logs to two handlers: they write values differently.
type both [2]slog.Handler

func (b both) Enabled(context.Context, slog.Level) bool { return true }
func (b both) Handle(ctx context.Context, r slog.Record) error {
	b[0].Handle(ctx, r.Clone())
	return b[1].Handle(ctx, r)
}
func (b both) WithAttrs(a []slog.Attr) slog.Handler {
	return both{b[0].WithAttrs(a), b[1].WithAttrs(a)}
}
func (b both) WithGroup(name string) slog.Handler {
	return both{b[0].WithGroup(name), b[1].WithGroup(name)}
}

// open starts a server on a store; nil is the one in its own folder.
func open(t *testing.T, store server.Store, change ...func(*server.Config)) *world {
	t.Helper()
	w := &world{T: t, data: t.TempDir()}
	w.adminKey = w.plant("admin key", "planted-admin-key-"+token())
	options := &slog.HandlerOptions{Level: slog.LevelDebug, AddSource: true}
	var err error
	config := server.Config{
		Addr: "127.0.0.1:0", Data: w.data, AdminKey: w.adminKey, EgressAllow: "127.0.0.0/8", Version: "test", Store: store,
		Log: slog.New(both{slog.NewJSONHandler(&w.log, options), slog.NewTextHandler(&w.log, options)}),
	}
	for _, change := range change {
		change(&config)
	}
	w.Server, err = server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// plant notes a secret.
func (w *world) plant(name, value string) string {
	w.secrets = append(w.secrets, secret{name, []byte(value)})
	return value
}

// say notes what people can see, and which secrets it is there to show.
func (w *world) say(where string, text []byte, may ...string) {
	w.said = append(w.said, said{where, text, may})
}

// call makes a request with the admin key. Its answer may show some secrets.
func (w *world) call(status int, method, path, body string, may ...string) string {
	w.Helper()
	return w.callAs(w.adminKey, status, method, "/v1/tenants/acme"+path, body, may...)
}

func (w *world) callAs(key string, status int, method, path, body string, may ...string) string {
	w.Helper()
	got, text := w.ask(key, method, path, body, may...)
	for end := time.Now().Add(time.Minute); got == http.StatusTooManyRequests && time.Now().Before(end); {
		time.Sleep(500 * time.Millisecond) // a tenant's tests are limited
		got, text = w.ask(key, method, path, body, may...)
	}
	if got != status {
		w.Fatalf("%s %s = %d %s, want %d", method, path, got, text, status)
	}
	return text
}

// ask makes a request and notes its answer.
func (w *world) ask(key, method, path, body string, may ...string) (status int, answer string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, w.URL()+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	w.say(fmt.Sprintf("answer to %s %s, %d", method, path, resp.StatusCode), fmt.Appendf(text, "\n%v", resp.Header), may...)
	return resp.StatusCode, string(text)
}

// until calls until the answer contains a text.
func (w *world) until(path, text string) {
	w.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if strings.Contains(w.call(200, "GET", path, ""), text) {
			return
		}
	}
	w.Fatalf("GET %s never told %s", path, text)
}

// files notes the bytes of the data folder, as they are on the disk; the key
// that seals is there to be secret, and kept apart.
func (w *world) files() {
	w.Helper()
	n := 0
	err := fs.WalkDir(os.DirFS(w.data), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(w.data, name))
		w.say("file "+name, text)
		n++
		return err
	})
	if err != nil || n == 0 {
		w.Fatalf("%d files in the data folder, %v", n, err)
	}
}

// close ends the server.
func (w *world) close() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Close(ctx); err != nil {
		w.Error(err)
	}
}

// judge searches all that was said.
func (w *world) judge() {
	w.Helper()
	w.say("log", w.log.bytes())
	for _, s := range w.said {
		for _, name := range find(s.text, w.secrets) {
			if !slices.Contains(s.may, name) {
				w.Errorf("%s shows the %s", s.where, name)
			}
		}
	}
}

// received are requests that went out.
type received struct {
	mu  sync.Mutex
	all []string
}

// note keeps a request and returns all of it.
func (rc *received) note(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	text := fmt.Sprintf("%s %s\n%v\n%s", r.Method, r.URL, r.Header, body)
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.all = append(rc.all, text)
	return text
}

// missing returns the secrets of those named that never went out.
func (w *world) missing(names ...string) (list []string) {
	w.sent.mu.Lock()
	defer w.sent.mu.Unlock()
	found := find([]byte(strings.Join(w.sent.all, "\n")), w.secrets)
	for _, name := range names {
		if !slices.Contains(found, name) {
			list = append(list, name)
		}
	}
	return list
}
