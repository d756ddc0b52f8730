package server_test

import (
	"net/http"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postino/postino/verify"
)

// last returns the latest callback.
func (s *subscriber) last() (http.Header, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[len(s.got)-1], []byte(s.bodies[len(s.bodies)-1])
}

// believed tells which of the secrets verify the latest callback, each alone.
func (s *subscriber) believed(t *testing.T, secrets []string) (list []bool) {
	t.Helper()
	header, body := s.last()
	for _, secret := range secrets {
		v, err := verify.New(secret)
		if err != nil {
			t.Fatal(err)
		}
		ours := v.Verify(header, body) == nil
		if strings.HasPrefix(secret, "whsec_") {
			official, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := official.Verify(body, header); (err == nil) != ours {
				t.Errorf("the official library says %v, package verify %v", err, ours)
			}
		}
		list = append(list, ours)
	}
	return list
}

func same(a, b []bool) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestARotationHoldsFromTheVeryNextRequestForWhatWaitsToo(t *testing.T) {
	a := start(t)
	s := newSubscriber(t, status(500))
	path := "/v1/tenants/acme/subscriptions/s"
	made := a.call("PUT", path, 201, `{"url":"`+s.URL+`","retry":{"schedule":["10m","10m","10m","10m","1d","1d"]}}`)
	secrets := []string{made["secret"].(string)}
	a.publish(1)
	a.advance("1s")
	for n, tt := range []struct {
		rotate, advance string
		want            []bool // which of the secrets so far verify the next attempt
	}{
		{"", "11m", []bool{true}},
		{`{"signing":"v1a"}`, "11m", []bool{true, true}},
		{`{"signing":"v1","overlap":"3d"}`, "11m", []bool{true, true, true}},
		{`{"overlap":"0s"}`, "11m", []bool{false, false, false, true}},
		{`{"signing":"v1a","overlap":"1h"}`, "27h", []bool{false, false, false, false, true}},
		{``, "27h", []bool{false, false, false, false, true}},
	} {
		if tt.rotate != "" {
			secrets = append(secrets, a.call("POST", path+"/rotate-secret", 200, tt.rotate)["secret"].(string))
		}
		a.advance(tt.advance)
		if got := s.count(); got != n+2 {
			t.Fatalf("step %d: %d callbacks, want %d", n, got, n+2)
		}
		header, _ := s.last()
		signatures, signing := strings.Fields(header.Get("Webhook-Signature")), 0
		if got := s.believed(t, secrets); !same(got, tt.want) {
			t.Errorf("step %d: secrets that verify: %v, want %v", n, got, tt.want)
		}
		for _, is := range tt.want {
			if is {
				signing++
			}
		}
		if len(signatures) != signing {
			t.Errorf("step %d: signatures %q, want %d", n, signatures, signing)
		}
	}
}

func TestATestIsSignedWithEverySecretInForce(t *testing.T) {
	a := start(t)
	s := newSubscriber(t, status(200))
	path := "/v1/tenants/acme/subscriptions/s"
	secrets := []string{a.call("PUT", path, 201, `{"url":"`+s.URL+`","signing":"v1a"}`)["secret"].(string)}
	for range 2 {
		secrets = append(secrets, a.call("POST", path+"/rotate-secret", 200, `{"overlap":"1h"}`)["secret"].(string))
	}
	a.call("POST", path+"/test", 200, `{"event":{"type":"a","data":1}}`)
	if got := s.believed(t, secrets); !same(got, []bool{true, true, true}) {
		t.Errorf("secrets that verify: %v, want all", got)
	}
	a.advance("1h")
	a.call("POST", path+"/test", 200, `{"event":{"type":"a","data":1}}`)
	if got := s.believed(t, secrets); !same(got, []bool{false, false, true}) {
		t.Errorf("secrets that verify after the overlap: %v, want the newest only", got)
	}
}
