// Command receiver-go is a subscriber of Postino: it verifies each callback,
// handles it once, and answers.
//
//	WEBHOOK_SECRET=whsec_… go run ./examples/receiver-go
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/postino/postino/verify"
)

// maxBody bounds what is read of a request: Postino sends at most 256 KiB.
const maxBody = 256 << 10

func main() {
	addr := os.Getenv("ADDR")
	if addr == "" {
		addr = "127.0.0.1:9000"
	}
	// During a rotation of the secret both are in force: WEBHOOK_SECRET="whsec_new whsec_old".
	verifier, err := verify.New(strings.Fields(os.Getenv("WEBHOOK_SECRET"))...)
	if err != nil {
		log.Fatal("WEBHOOK_SECRET: ", err)
	}
	server := &http.Server{
		Handler:     &receiver{verifier: verifier, handle: show, seen: map[string]bool{}},
		ReadTimeout: 10 * time.Second,
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("waiting for callbacks on http://" + addr)
	log.Fatal(server.Serve(listener))
}

// receiver believes nothing before it has verified it.
type receiver struct {
	verifier *verify.Verifier
	handle   func(r *http.Request, body []byte) error

	mu   sync.Mutex
	seen map[string]bool // by webhook-id
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)) // the bytes that were signed, before any parsing
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusBadRequest)
		return
	}
	if err := rc.verifier.Verify(r.Header, body); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	if err := rc.once(r, body); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable) // it will be sent again
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// once handles a callback unless its id was handled before: one callback can
// arrive twice, when the answer to the first was lost for instance. A memory
// that survives a restart stands in the same database, and the same
// transaction, as the work itself.
func (rc *receiver) once(r *http.Request, body []byte) error {
	id := r.Header.Get("webhook-id")
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.seen[id] {
		return nil
	}
	if err := rc.handle(r, body); err != nil {
		return err
	}
	rc.seen[id] = true
	return nil
}

func show(r *http.Request, body []byte) error {
	_, err := fmt.Printf("%s %s %s\n", r.Header.Get("webhook-id"), r.URL.Path, body)
	return err
}
