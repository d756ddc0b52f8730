package verify_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/postino/postino/verify"
)

// A receiver answers 2xx only to what it believes and has handled: everything
// else is sent again.
func Example() {
	verifier, err := verify.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		log.Fatal(err)
	}
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		if err := verifier.Verify(r.Header, body); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		fmt.Printf("handle %s once: %s\n", r.Header.Get("webhook-id"), body)
		w.WriteHeader(http.StatusNoContent)
	}

	// Somebody who does not know the secret posts to it.
	answer := httptest.NewRecorder()
	receive(answer, httptest.NewRequest("POST", "/hook", strings.NewReader(`{"points":1000000}`)))
	fmt.Print(answer.Code, " ", answer.Body)
	// Output: 401 missing header: webhook-id
}

// The errors tell an old recording from a forgery.
func ExampleVerifier_Verify() {
	verifier, err := verify.New("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		log.Fatal(err)
	}
	header := http.Header{}
	header.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set("webhook-timestamp", "1614265330")
	header.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

	err = verifier.Verify(header, []byte(`{"test": 2432232314}`))
	fmt.Println(errors.Is(err, verify.ErrTooOld), err)
	// Output: true timestamp too old
}
