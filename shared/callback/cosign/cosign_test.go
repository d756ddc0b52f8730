package cosign_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/callback/cosign"
	"github.com/postino/postino/shared/language/strictjson"
)

func read(t testing.TB, text string) *cosign.List {
	t.Helper()
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	list, faults := cosign.Read(v)
	if len(faults) > 0 {
		t.Fatalf("%s: %v", text, faults)
	}
	return list
}

var message = cosign.Message{
	ID: "dlv_1", Event: "evt 1", At: time.Unix(1700000000, 5e6), Attempt: 4, Method: "POST",
	URL: "https://a.example/x?y=1", Type: "application/x-www-form-urlencoded", Body: []byte("b=2&a=1&a=0"),
}

func none(string) string { return "" }

// The values were computed with Python's hmac.
func TestSignaturesAreThoseOfOtherImplementations(t *testing.T) {
	for _, tt := range []struct{ written, header, want string }{
		{`{"preset":"github","secret":"s3cr3t"}`, "X-Hub-Signature-256", "sha256=f2ed209e28861730ba3255523caa4939f87384f9992c90c6e937e752ce10b432"},
		{`{"preset":"stripe","secret":"whsec_x"}`, "Stripe-Signature", "t=1700000000,v1=1b92ff29de5daf64e6c4a37abebc443e79f7230ea7229e635c3856b8c0dfbf54"},
		{`{"preset":"twilio","secret":"s3cr3t"}`, "X-Twilio-Signature", "Wsaif5dqlpOPxG70bHbUhmDAYfI="},
		{`{"preset":"slack","secret":"s3cr3t"}`, "X-Slack-Request-Timestamp", "1700000000"},
		{`{"preset":"svix","secret":"whsec_AAECAwQFBgcICQ=="}`, "Svix-Signature", "v1,1M5pqjhq5InVETnRkMUPHzq1phA9g5XA3Yv5iX0Gc1U="},
		{`{"header":"x-own","text":"{{method}} {{ path }} {{ millis }} {{ attempt }} {{ event }}","hash":"sha512","prefix":"{{ id }}:","secret":{"base64":"AAE="}}`, "X-Own", "dlv_1:bd2672c211e2e82e4914324efaf34520c026ba27c0e044022fe1a4f40330ceb0de19b6d576358a72e29811c9921f6746fc69192e3f902f3b7f11ef22285d78c3"},
	} {
		h := http.Header{}
		read(t, "["+tt.written+"]").Set(h, message, none)
		if got := h.Get(tt.header); got != tt.want {
			t.Errorf("%s: %s is %s, want %s", tt.written, tt.header, got, tt.want)
		}
	}
}

func TestASignatureIsMadeAnewForEachMessage(t *testing.T) {
	list := read(t, `[{"preset":"stripe","secret":"x"},{"preset":"github","secret":"{{ secrets.b }}"}]`)
	first, again, later, other := http.Header{}, http.Header{}, http.Header{}, http.Header{}
	b := func(string) string { return "b" }
	list.Set(first, message, b)
	hourLater := message
	hourLater.At = message.At.Add(time.Hour)
	list.Set(later, hourLater, b)
	list.Set(again, message, b)
	list.Set(other, message, func(string) string { return "c" })
	if first.Get("Stripe-Signature") != again.Get("Stripe-Signature") || first.Get("Stripe-Signature") == later.Get("Stripe-Signature") {
		t.Errorf("at once %s, an hour later %s, at once again %s", first, later, again)
	}
	if first.Get("X-Hub-Signature-256") == other.Get("X-Hub-Signature-256") {
		t.Error("a named secret that was replaced signs as before")
	}
	if got := list.Secrets(); len(got) != 1 || got[0] != "b" {
		t.Errorf("it mentions %v, want b", got)
	}
}

func TestWhatIsReadIsWrittenAndShownWithoutSecrets(t *testing.T) {
	list := read(t, `[{"preset":"github","secret":"hidden-1"},{"header":"X-S","text":"<{{ body }}>","headers":{"X-T":"{{ timestamp }}"},"secret":{"raw":"hidden-2"}},{"header":"X-U","text":"a","secret":"{{ secrets.hidden }}"}]`)
	decoded, err := cosign.Decode(list.Encode())
	if err != nil {
		t.Fatal(err)
	}
	before, after := http.Header{}, http.Header{}
	list.Set(before, message, none)
	decoded.Set(after, message, none)
	for name := range before {
		if before.Get(name) != after.Get(name) {
			t.Errorf("%s was %s, and is %s after it was stored", name, before.Get(name), after.Get(name))
		}
	}
	if shown := list.View(); bytes.Contains(shown, []byte("hidden")) || bytes.Count(shown, []byte(`"***"`)) != 3 {
		t.Errorf("shown: %s, want stars for three secrets", shown)
	}
	if got := strings.Join(list.Hidden(), " "); !strings.Contains(got, "hidden-1") || !strings.Contains(got, "hidden-2") {
		t.Errorf("answers are searched for %q, want both secrets", got)
	}
	if got := strings.Join(list.Headers(), " "); got != "x-hub-signature-256 x-s x-t x-u" {
		t.Errorf("it sets %s", got)
	}
}

func TestWhatNoReceiverCouldVerifyIsRefused(t *testing.T) {
	for _, tt := range []struct{ written, field, detail string }{
		{`{}`, "signature", "want a list"},
		{`[1]`, "signature[0]", "want an object"},
		{`[{"preset":"strip","secret":"x"}]`, "signature[0].preset", `did you mean "stripe"?`},
		{`[{"preset":"stripe","text":"x","secret":"x"}]`, "signature[0].preset", "leave it out"},
		{`[{"preset":"stripe"}]`, "signature[0].secret", "required"},
		{`[{"preset":"stripe","secret":"***"}]`, "signature[0].secret", "*** stands for"},
		{`[{"preset":"stripe","secret":"a {{ secrets.b }}"}]`, "signature[0].secret", "want no template but"},
		{`[{"preset":"svix","secret":"not base64"}]`, "signature[0].secret", "want whsec_"},
		{`[{"preset":"stripe","secret":{"base64":"A"}}]`, "signature[0].secret.base64", "base64"},
		{`[{"header":"X-S","text":"{{ bod }}","secret":"x"}]`, "signature[0].text", `did you mean "body"?`},
		{`[{"header":"X-S","text":"{{ body","secret":"x"}]`, "signature[0].text", "{{ without }}"},
		{`[{"header":"X-S","text":"a","prefix":"{{ body }}","secret":"x"}]`, "signature[0].prefix", "want one of"},
		{`[{"header":"X-S","text":"a","prefix":"é","secret":"x"}]`, "signature[0].prefix", "ASCII"},
		{`[{"header":"webhook-id","text":"a","secret":"x"}]`, "signature[0].header", "cannot be set"},
		{`[{"header":"X-S","text":"a","headers":{"Host":"a"},"secret":"x"}]`, "signature[0].headers.Host", "cannot be set"},
		{`[{"preset":"github","secret":"x"},{"header":"x-hub-signature-256","text":"a","secret":"x"}]`, "signature[1]", "set twice"},
		{`[{"header":"X-S","text":"a","colour":1,"secret":"x"}]`, "signature[0].colour", "unknown field"},
	} {
		v, err := strictjson.Parse([]byte(tt.written))
		if err != nil {
			t.Fatal(err)
		}
		list, faults := cosign.Read(v)
		if list != nil || len(faults) != 1 || faults[0].Field != tt.field || !strings.Contains(faults[0].Detail, tt.detail) {
			t.Errorf("%s: %v, want %s: %s", tt.written, faults, tt.field, tt.detail)
		}
	}
}

// The target is 5 µs for each signature of a body of 1 KB.
func BenchmarkSet(b *testing.B) {
	m := message
	m.Body = bytes.Repeat([]byte("x"), 1<<10)
	for _, preset := range []string{"github", "shopify", "slack", "stripe", "svix"} {
		list := read(b, `[{"preset":"`+preset+`","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}]`)
		b.Run(preset, func(b *testing.B) {
			h := http.Header{}
			for b.Loop() {
				list.Set(h, m, none)
			}
		})
	}
	list := read(b, `[{"preset":"github","secret":"{{ secrets.a }}"}]`)
	b.Run("named secret", func(b *testing.B) {
		h := http.Header{}
		for b.Loop() {
			list.Set(h, m, func(string) string { return "secret" })
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(`[{"preset":"stripe","secret":"x"}]`)
	f.Add(`[{"header":"X-S","text":"{{ id }}.{{ body }}","prefix":"t={{ timestamp }}","hash":"sha1","encoding":"base64","headers":{"X-T":"{{ millis }}"},"secret":{"raw":"x"}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strictjson.Parse([]byte(text))
		if err != nil {
			return
		}
		list, faults := cosign.Read(v)
		if list == nil || len(faults) > 0 {
			return
		}
		again, err := cosign.Decode(list.Encode())
		if err != nil {
			t.Fatalf("%s is read, and not after it was stored: %v", text, err)
		}
		h, g := http.Header{}, http.Header{}
		list.Set(h, message, none)
		again.Set(g, message, none)
		for name, value := range h {
			if value[0] != g[name][0] {
				t.Errorf("%s: %s is %s, and %s after it was stored", text, name, value, g[name])
			}
		}
	})
}
