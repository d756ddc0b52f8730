// Package postinotest starts Postino and a receiver in a test.
//
//	local := postinotest.Start(t)
//	hook := postinotest.Receive(t)
//	client := local.Client("acme")
//	// create a subscription to hook.URL, and publish
//	hook.Wait(1)
//	local.Advance("1h")
package postinotest

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	postino "github.com/postino/postino/sdk/go"
)

// Local is a running Postino whose clock stands still until you advance it.
type Local struct {
	URL string
	Key string // the admin key
	Now time.Time

	t testing.TB
}

// listens is the line by which the program tells its address.
var listens = regexp.MustCompile(`listens on (\S+)`)

// Start starts local mode, and stops it when the test ends. The program is that
// of the environment variable POSTINO_PROGRAM, or postino in the PATH. Its data
// are in a folder that is removed.
func Start(t testing.TB) *Local {
	t.Helper()
	data := t.TempDir()
	program := cmp.Or(os.Getenv("POSTINO_PROGRAM"), "postino")
	cmd := exec.Command(program, "serve", "-test-clock", "-addr", "127.0.0.1:0", "-data", data)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("%v: install postino, or set POSTINO_PROGRAM to its path", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	address := listens.FindStringSubmatch(line)
	if address == nil {
		t.Fatalf("%s did not start: it says %q, %v", program, line, err)
	}
	key, err := os.ReadFile(filepath.Join(data, "admin.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &Local{URL: address[1], Key: strings.TrimSpace(string(key)), Now: time.Now(), t: t}
}

// Client is a client of a tenant, with the admin key.
func (l *Local) Client(tenant string) *postino.Client { return postino.New(l.URL, l.Key, tenant) }

// Advance advances the clock, for example by "1h". It returns when everything
// that became due was sent.
func (l *Local) Advance(duration string) {
	l.t.Helper()
	body := fmt.Sprintf(`{"advance":%q}`, duration)
	r, err := http.NewRequest(http.MethodPost, l.URL+"/v1/clock", bytes.NewReader([]byte(body)))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+l.Key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer answer.Body.Close()
	var clock struct{ Now time.Time }
	if err := json.NewDecoder(answer.Body).Decode(&clock); err != nil || answer.StatusCode != http.StatusOK {
		l.t.Fatalf("advance by %s: %s, %v", duration, answer.Status, err)
	}
	l.Now = clock.Now
}
