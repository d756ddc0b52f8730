package faults

import (
	"crypto/rand"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestATornLogKeepsWhatWasAcknowledged: what a power cut leaves is the log up
// to the last acknowledgement, and behind it any part of what was on its way.
func TestATornLogKeepsWhatWasAcknowledged(t *testing.T) {
	for name, tear := range map[string]func(log []byte, synced int) []byte{
		"cut anywhere behind":     func(log []byte, synced int) []byte { return log[:synced+mathrand.IntN(len(log)-synced)] },
		"cut within a record":     func(log []byte, synced int) []byte { return log[:synced+(len(log)-synced)/2|1] },
		"garbage behind":          func(log []byte, synced int) []byte { _, _ = rand.Read(log[synced:]); return log },
		"garbage in the last one": func(log []byte, _ int) []byte { _, _ = rand.Read(log[len(log)-1000:]); return log },
		"a hole behind":           func(log []byte, synced int) []byte { clear(log[synced:]); return log },
		"half a record more":      func(log []byte, _ int) []byte { return append(log, log[:2000]...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, l := filepath.Join(t.TempDir(), "data"), newLedger()
			r := newReceiver(t, l)
			p := start(t, data)
			r.subscribe(t, p, "s", `,"state":"paused"`)
			publishSome(t, p, "acknowledged", 300, l)
			file := onlyLog(t, data)
			before, err := os.Stat(file) // all of it is synced: the answer came after
			if err != nil {
				t.Fatal(err)
			}
			for range 5 { // nobody heard of these
				p.call(t.Context(), http.DefaultClient, "POST", "/events", `[`+strings.Repeat(`{"type":"a.b","data":1},`, 99)+`{"type":"a.b","data":1}]`)
			}
			p.kill()
			log, err := os.ReadFile(file)
			if err != nil || len(log) <= int(before.Size()) {
				t.Fatalf("the log has %d bytes, %v, want more than %d", len(log), err, before.Size())
			}
			if err := os.WriteFile(file, tear(log, int(before.Size())), 0o600); err != nil {
				t.Fatal(err)
			}
			p = start(t, data)
			if status, answer := p.call(t.Context(), http.DefaultClient, "POST", "/subscriptions/s/resume", ""); status != 200 {
				t.Fatalf("resume: %d %s", status, answer)
			}
			l.settle(t)
			if err := p.terminate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// onlyLog returns the file of the log, of which there is one.
func onlyLog(t *testing.T, data string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "log", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the log's files are %v, %v, want one", files, err)
	}
	return files[0]
}
