package courier

import (
	"net"
	"strings"
	"testing"

	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/webhook"
)

// posted makes one attempt.
func posted(t *testing.T, d *Courier, s webhook.Subscription) Answer {
	t.Helper()
	sub, err := Prepare(s, d.Secrets)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Post(t.Context(), sub, Call{Delivery: "dlv_1", Event: "evt_1", Number: 1, Target: target(s.URL), Content: content})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOnlyARefusalThatDNSCouldChangeIsTriedAgain(t *testing.T) {
	token := func(url string) string {
		return `{"type":"oauth2","token_url":"` + url + `","client_id":"a","client_secret":"b"}`
	}
	const none = `{"type":"bearer","token":"t"}`
	for _, tt := range []struct {
		url, auth string
		class     webhook.ErrorClass
		want      retry.Outcome
	}{
		{"https://10.0.0.1", none, webhook.ErrorRefused, retry.Permanent},
		{"https://8.8.8.8:8443", none, webhook.ErrorRefused, retry.Permanent},
		{"http://localhost", none, webhook.ErrorRefused, retry.Permanent},
		{"https://a.example", token("https://10.0.0.1"), webhook.ErrorAuth, retry.Permanent},
		{"https://a.invalid", none, webhook.ErrorDNS, retry.Retry},
	} {
		r := posted(t, poster(t), authorized(t, tt.url, tt.auth))
		if r.Outcome != tt.want || r.Attempt.Error != tt.class || r.Attempt.Detail == "" {
			t.Errorf("%s with %s: %v after %q %q, want %v after %q", tt.url, tt.auth, r.Outcome, r.Attempt.Error, r.Attempt.Detail, tt.want, tt.class)
		}
	}
}

// deaf is a DNS server that answers nothing.
func deaf(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

func TestAttemptsDoNotShowOurResolver(t *testing.T) {
	resolver := deaf(t)
	for _, resolver := range []string{resolver, "127.0.0.1:1"} {
		d := poster(t)
		d.Client = egress.NewClient(egress.NewTransport(&egress.Guard{ResolverAddress: resolver}, nil))
		for _, a := range []webhook.Attempt{
			trialTo(t, d, "https://a.example", "1s"),
			trial(t, d, brief(authorized(t, "https://b.example", `{"type":"oauth2","token_url":"https://a.example","client_id":"a","client_secret":"b"}`))),
		} {
			if a.Detail == "" || strings.Contains(a.Detail, "127.0.0.1") || strings.Contains(a.Detail, resolver) {
				t.Errorf("with the DNS server %s: %q %q, want words without an address", resolver, a.Error, a.Detail)
			}
		}
	}
}

func brief(s webhook.Subscription) webhook.Subscription {
	s.Retry.Timeout = "1s"
	return s
}
