package manage_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/webhook"
)

const (
	chosen  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	private = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	public  = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
	rotate  = sub + "/s/rotate-secret"
)

// signing lists what signs for s, newest first: the scheme, and when it ends.
func (w *world) signing(t *testing.T) (list []string) {
	t.Helper()
	var got struct {
		Secret   string
		Previous []struct {
			Signing   string
			ExpiresAt time.Time `json:"expires_at"`
		}
	}
	w.must(t, 200, "GET", sub+"/s/secret", "").into(t, &got)
	list = append(list, got.Secret)
	for _, p := range got.Previous {
		list = append(list, fmt.Sprint(p.Signing, " +", p.ExpiresAt.Sub(w.now())))
	}
	return list
}

func TestRotationKeepsTheOldSecretsForTheirTime(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example","secret":"`+chosen+`"}`)
	for _, tt := range []struct {
		body    string
		signing string
		want    []string // nil for one that was made
	}{
		{`{"secret":"` + private + `"}`, "v1a", []string{public, "v1 +24h0m0s"}},
		{`{"secret":"` + private + `","overlap":"1m"}`, "v1a", []string{public, "v1 +24h0m0s"}}, // a repeat
		{`{"secret":"` + chosen + `","overlap":"1h"}`, "v1", []string{chosen, "v1a +1h0m0s"}},   // back to what signs still
		{`{"secret":"` + private + `","signing":"v1a","overlap":"30d"}`, "v1a", []string{public, "v1 +720h0m0s"}},
		{`{"secret":"` + private + `","overlap":"0s"}`, "v1a", []string{public}},
		{`{"signing":"v1","overlap":"1ms"}`, "v1", nil},
		{``, "v1", nil},
		{`{"signing":null,"secret":null,"overlap":null}`, "v1", nil},
		{`{"signing":"v1a","overlap":"0s"}`, "v1a", nil},
	} {
		got := w.must(t, 200, "POST", rotate, tt.body)
		if got.get(t, "signing") != tt.signing || got.get(t, "url") != "https://a.example" {
			t.Errorf("rotate %s answered %s, want signing %s", tt.body, got.body, tt.signing)
		}
		shown, _ := got.get(t, "secret").(string)
		if signs := w.signing(t); tt.want != nil && cmp.Diff(tt.want, signs) != "" || shown != signs[0] {
			t.Errorf("after %s %q sign and %q is shown, want %q", tt.body, signs, shown, tt.want)
		}
		if wantPrefix := map[string]string{"v1": "whsec_", "v1a": "whpk_"}[tt.signing]; !strings.HasPrefix(shown, wantPrefix) {
			t.Errorf("after %s %q is shown, want %s…", tt.body, shown, wantPrefix)
		}
	}
	w.must(t, 200, "POST", rotate, `{"overlap":"1h"}`)
	w.advance(time.Hour)
	if signs := w.signing(t); len(signs) != 1 {
		t.Errorf("after the overlap %q sign, want one", signs)
	}
}

func TestNoMoreThanFiveSecretsSign(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example"}`)
	for n := range 4 {
		w.must(t, 200, "POST", rotate, fmt.Sprintf(`{"overlap":"%dh"}`, 10-n))
	}
	refused := w.must(t, 409, "POST", rotate, `{}`)
	if detail, _ := refused.get(t, "detail").(string); !strings.Contains(detail, "5 secrets") || !strings.Contains(detail, "2026-03-01T19:00:00.000Z") {
		t.Errorf("refused with %q, want how many, and when the next ends", detail)
	}
	if signs := w.signing(t); len(signs) != 5 {
		t.Errorf("%q sign after the refusal, want the five before", signs)
	}
	w.advance(7 * time.Hour)
	w.must(t, 200, "POST", rotate, `{}`) // one has ended, and is gone
	w.must(t, 409, "POST", rotate, `{}`)
	w.must(t, 200, "POST", rotate, `{"overlap":"0s"}`)
	if signs := w.signing(t); len(signs) != 1 {
		t.Errorf("%q sign, want the new one only", signs)
	}
}

func TestConcurrentRotationsAllSign(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example"}`)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { w.do(t, "POST", rotate, `{}`) })
	}
	wg.Wait()
	if signs := w.signing(t); len(signs) != 5 {
		t.Errorf("%q sign after four rotations at once, want five", signs)
	}
}

func TestBadRotationsAreRefusedByFieldAndShowNothing(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example","secret":"`+chosen+`"}`)
	for _, tt := range []struct{ body, field, about string }{
		{`[]`, "body", "object"},
		{`{"colour":1}`, "colour", "unknown"},
		{`{"secret":7}`, "secret", "string"},
		{`{"secret":"hunter2hunter2"}`, "secret", "begins with whsec_"},
		{`{"secret":"` + public + `"}`, "secret", "is a public key"},
		{`{"secret":"whsec_hunter2="}`, "secret", "base64"},
		{`{"secret":"whsec_` + strings.Repeat("aaaa", 7) + `"}`, "secret", "24 to 64 bytes"},
		{`{"secret":"whsec_` + strings.Repeat("aaaa", 22) + `"}`, "secret", "64 bytes"},
		{`{"secret":"` + chosen + `","signing":"v1a"}`, "secret", "whsk_"},
		{`{"secret":"` + private + `","signing":"v1"}`, "secret", "whsec_"},
		{`{"signing":"v2"}`, "signing", "v1"},
		{`{"overlap":"0m"}`, "overlap", "30d"},
		{`{"overlap":"31d"}`, "overlap", "30d"},
		{`{"overlap":"soon"}`, "overlap", "duration"},
		{`{"overlap":60}`, "overlap", "string"},
	} {
		got := w.must(t, 422, "POST", rotate, tt.body)
		if diff := cmp.Diff([]string{tt.field}, got.fields(t)); diff != "" || !strings.Contains(string(got.body), tt.about) {
			t.Errorf("rotate %s: %s, want a fault of %s about %q", tt.body, got.body, tt.field, tt.about)
		}
		if strings.Contains(string(got.body), "hunter2") || strings.Contains(string(got.body), chosen[6:]) {
			t.Errorf("rotate %s repeats the secret: %s", tt.body, got.body)
		}
	}
	w.must(t, 404, "POST", sub+"/none/rotate-secret", `{}`)
	w.must(t, 404, "POST", sub+"/A/rotate-secret", `{}`)
	if diff := cmp.Diff([]string{chosen}, w.signing(t)); diff != "" {
		t.Errorf("refused rotations changed what signs (-want +got):\n%s", diff)
	}
}

func TestSigningIsChosenAtCreationAndChangedByRotationOnly(t *testing.T) {
	w := open(t)
	made := w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example","signing":"v1a"}`)
	shown, _ := made.get(t, "secret").(string)
	if made.get(t, "signing") != "v1a" || !strings.HasPrefix(shown, "whpk_") {
		t.Errorf("created %s, want signing v1a and a public key", made.body)
	}
	for _, body := range []string{`{"url":"https://b.example"}`, `{"url":"https://b.example","signing":null}`, `{"url":"https://b.example","signing":"v1a"}`} {
		for _, method := range []string{"PUT", "PATCH"} {
			if got := w.must(t, 200, method, sub+"/s", body); got.get(t, "signing") != "v1a" {
				t.Errorf("%s %s answered %s, want signing as it was", method, body, got.body)
			}
		}
	}
	for _, method := range []string{"PUT", "PATCH"} {
		got := w.must(t, 422, method, sub+"/s", `{"url":"https://b.example","signing":"v1","secret":"`+chosen+`"}`)
		if diff := cmp.Diff([]string{"secret", "signing"}, got.fields(t)); diff != "" || !strings.Contains(string(got.body), "rotate-secret") {
			t.Errorf("%s of another secret: %s", method, got.body)
		}
	}
	if diff := cmp.Diff([]string{shown}, w.signing(t)); diff != "" {
		t.Errorf("what signs differs (-want +got):\n%s", diff)
	}
	if got := w.must(t, 201, "PUT", sub+"/own", `{"url":"https://a.example","secret":"`+private+`"}`); got.get(t, "signing") != "v1a" || got.get(t, "secret") != public {
		t.Errorf("created with a private key: %s", got.body)
	}
	w.must(t, 200, "PUT", sub+"/own", `{"url":"https://a.example","secret":"`+private+`"}`) // repeated
	stored, err := w.store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: "own", Version: w.head(t, "own").Version}})
	if err != nil {
		t.Fatal(err)
	}
	if s := stored[0]; len(s.Secrets) != 1 || s.Secrets[0].Public != public || s.Secrets[0].Scheme != string(signature.V1a) {
		t.Errorf("stored %+v", s.Secrets)
	}
}
