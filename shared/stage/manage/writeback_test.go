package manage_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/webhook"
)

// choices are values of each field of a subscription, of which any may stand
// beside any other; null stands for absent.
var choices = map[string][]string{
	"name":        {`null`, `"n"`, `""`},
	"description": {`null`, `"line\nline"`},
	"metadata":    {`null`, `{}`, `{"a":[1,{"b":null}],"c":"<&é"}`},
	"url":         {`"https://a.example"`, `"https://a.example/{{ subject }}?q={{ data.q }}"`},
	"types":       {`null`, `["a","b.*","Order Completed"]`},
	"filter":      {`null`, `{"data":{"a":[{"prefix":"x"},null,5.0]}}`},
	"trigger":     {`null`, `{}`, `{"every":3,"key":["subject"],"distinct":"data.x"}`, `{"delay":"1h","cancel":[{"types":["a b"]}]}`, `{"delay":"1h","on_change":"keep","on_repeat":null}`},
	"max_age":     {`null`, `"1d"`, `"24h"`},
	"request":     {`null`, `{}`, `{"format":"standard"}`, `{"format":"cloudevents"}`, `{"method":"PUT","headers":{"x-a":"{{ secrets.crm }}"},"body":{"a":"{{ data.a }}"}}`, `{"body":"text {{ subject }}","content_type":"text/plain","require":["subject"]}`},
	"auth": {`null`, `{"type":"none"}`, `{"type":"bearer","token":"secret-one"}`, `{"type":"basic","username":"u"}`, `{"type":"header","name":"X-Own","value":"{{ secrets.crm }}"}`,
		`{"type":"oauth2","token_url":"https://id.example/t","client_id":"a","client_secret":"b","scope":"c d"}`},
	"signing":    {`null`, `"v1"`, `"v1a"`},
	"retry":      {`null`, `{}`, `{"schedule":[],"permanent":["4xx"]}`, `{"timeout":"5s","success":["2xx","409"]}`},
	"rate_limit": {`null`, `{"per_second":5}`},
	"state":      {`null`, `"active"`, `"paused"`},
}

// anySubscription is a body of a random choice for each field.
func anySubscription(r *rand.Rand) string {
	var members []string
	for _, name := range slices.Sorted(maps.Keys(choices)) {
		members = append(members, `"`+name+`":`+choices[name][r.IntN(len(choices[name]))])
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestWhatWasReadOfASubscriptionCanBeWrittenBack(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "/secrets/crm", `{"value":"hunter2"}`)
	for seed := range uint64(150) {
		body := anySubscription(rand.New(rand.NewPCG(seed, 1)))
		created := w.must(t, 201, "PUT", sub+"/s", body)
		if seed%3 == 0 {
			w.disable(t, "s")
		}
		read := w.must(t, 200, "GET", sub+"/s", "").body
		w.advance(time.Minute)
		for _, tt := range []struct{ method, body string }{
			{"PUT", string(read)}, {"PATCH", string(read)}, {"PUT", withSecret(t, read, created)},
		} {
			w.must(t, 200, tt.method, sub+"/s", tt.body)
			if again := w.must(t, 200, "GET", sub+"/s", "").body; string(again) != string(read) {
				t.Fatalf("seed %d: after %s of what was read\n%s\nit is\n%s", seed, tt.method, read, again)
			}
		}
		w.must(t, 204, "DELETE", sub+"/s", "")
	}
}

// withSecret is what was read with the secret that its creation showed.
func withSecret(t *testing.T, read []byte, created answer) string {
	return strings.TrimSuffix(string(read), "}") + `,"dropped":["auth"],"secret":"` + created.get(t, "secret").(string) + `"}`
}

// disable does what deliveries do to a subscriber that is gone.
func (w *world) disable(t *testing.T, id string) {
	t.Helper()
	heads, err := w.store.Heads(t.Context(), []webhook.SubscriptionRef{{Tenant: "acme", ID: id}})
	if err != nil {
		t.Fatal(err)
	}
	subs, err := w.store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: id, Version: heads[0].Version}})
	if err != nil {
		t.Fatal(err)
	}
	subs[0].State, subs[0].DisabledReason, subs[0].DisabledAt = webhook.Disabled, "gone", w.now()
	if _, err := w.store.SaveSubscription(t.Context(), subs[0], heads[0].Version); err != nil {
		t.Fatal(err)
	}
}

func TestACopyOfASubscriptionIsMadeOfWhatWasRead(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example","types":["a"],"retry":{"schedule":["5s"]}}`)
	read := w.must(t, 200, "GET", sub+"/s", "")
	w.advance(time.Hour)
	copied := w.must(t, 201, "POST", sub, strings.Replace(string(read.body), `"id":"s"`, `"id":"t"`, 1))
	var was, is map[string]any
	read.into(t, &was)
	copied.into(t, &is)
	if is["created_at"] == was["created_at"] {
		t.Errorf("the copy says it was created with its original: %s", copied.body)
	}
	for _, own := range []string{"id", "created_at", "updated_at", "secret"} {
		delete(was, own)
		delete(is, own)
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("the copy differs (-original +copy):\n%s", diff)
	}
}

func TestStarsAreTheStoredAuthOnlyAsAWhole(t *testing.T) {
	w := open(t)
	const auth = `"auth":{"type":"header","name":"x-own","value":"***"}`
	w.must(t, 422, "PUT", sub+"/s", `{"url":"https://a.example",`+auth+`}`) // nothing is stored
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example","auth":{"type":"header","name":"x-own","value":"one"}}`)
	sealed := func() string {
		heads, _ := w.store.Heads(t.Context(), []webhook.SubscriptionRef{{Tenant: "acme", ID: "s"}})
		subs, err := w.store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: "s", Version: heads[0].Version}})
		if err != nil || subs[0].Auth == nil {
			t.Fatalf("no auth: %v", err)
		}
		return string(subs[0].Auth.Sealed)
	}
	before := sealed()
	w.must(t, 200, "PUT", sub+"/s", `{"url":"https://a.example/other",`+auth+`}`)
	if sealed() != before {
		t.Error("the stored auth was sealed anew, want it kept")
	}
	for _, other := range []string{
		`{"type":"header","name":"x-another","value":"***"}`, `{"type":"bearer","token":"***"}`, `{"type":"header","name":"x-own","value":"***","tls":null}`,
		`{"type":"oauth2","token_url":"https://id.example/t","client_id":"***","client_secret":"***","scope":""}`,
	} {
		w.must(t, 422, "PATCH", sub+"/s", `{"auth":`+other+`}`)
	}
	got := w.must(t, 422, "PATCH", sub+"/s", `{"request":{"headers":{"X-Own":"a"}},`+auth+`}`)
	if fields := got.fields(t); !slices.Equal(fields, []string{"request.headers.X-Own"}) {
		t.Errorf("a header beside the stored auth that sets it: %s", got.body)
	}
}

func TestASecretFromElsewhereSignsAndCanBeWrittenBack(t *testing.T) {
	w := open(t)
	for secret, shown := range map[string]string{
		`{"raw":"hunter2"}`:      "whsec_aHVudGVyMg==",
		`{"raw":"schlüssel"}`:    "whsec_c2NobMO8c3NlbA==",
		`{"base64":"/wA="}`:      "whsec_/wA=",
		`{"raw":"whsec_is raw"}`: "whsec_d2hzZWNfaXMgcmF3",
	} {
		created := w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example","secret":`+secret+`}`)
		if got := created.get(t, "secret"); got != shown {
			t.Errorf("%s is shown as %v, want %s", secret, got, shown)
		}
		for _, again := range []string{secret, `"` + shown + `"`} {
			w.must(t, 200, "PUT", sub+"/s", `{"url":"https://a.example","secret":`+again+`}`)
			w.must(t, 200, "POST", sub+"/s/rotate-secret", `{"secret":`+secret+`}`)
		}
		w.must(t, 422, "PUT", sub+"/s", `{"url":"https://a.example","secret":{"raw":"another"}}`)
		w.must(t, 204, "DELETE", sub+"/s", "")
	}
	for _, bad := range []string{`{}`, `{"raw":5}`, `{"raw":""}`, `{"raw":"` + strings.Repeat("é", 129) + `"}`, `{"base64":"a"}`, `{"raw":"a","base64":"YQ=="}`, `{"hex":"00"}`, `"whsec_aHVudGVyMg=="`, `5`} {
		got := w.must(t, 422, "PUT", sub+"/s", `{"url":"https://a.example","secret":`+bad+`}`)
		if strings.Contains(string(got.body), "aHVudGVyMg") {
			t.Errorf("the refusal repeats the secret: %s", got.body)
		}
	}
	w.must(t, 422, "PUT", sub+"/s", `{"url":"https://a.example","signing":"v1a","secret":{"raw":"hunter2"}}`)
}

func TestNobodyButPostinoDisables(t *testing.T) {
	w := open(t)
	w.must(t, 422, "POST", sub, `{"url":"https://a.example","state":"disabled"}`)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example"}`)
	w.must(t, 422, "PATCH", sub+"/s", `{"state":"disabled","disabled_reason":"gone"}`)
	w.disable(t, "s")
	got := w.must(t, 200, "PUT", sub+"/s", `{"url":"https://b.example","state":"disabled","disabled_reason":"because"}`)
	if got.get(t, "state") != "disabled" || got.get(t, "disabled_reason") != "gone" || got.get(t, "url") != "https://b.example" {
		t.Errorf("changed while disabled: %s, want it disabled as gone still", got.body)
	}
}

func TestWhatWasReadOfAnEventTypeAndATenantCanBeWrittenBack(t *testing.T) {
	w := open(t)
	for _, body := range []string{`{}`, `{"sample":null}`, `{"description":"d","schema":{"type":"object"},"sample":{},"deprecated":true}`, `{"schema":true,"sample":5}`} {
		w.must(t, 201, "PUT", "/event-types/Order%20Completed", body)
		read := w.must(t, 200, "GET", "/event-types/Order%20Completed", "")
		w.must(t, 200, "PUT", "/event-types/Order%20Completed", string(read.body))
		if again := w.must(t, 200, "GET", "/event-types/Order%20Completed", ""); string(again.body) != string(read.body) {
			t.Errorf("%s: read %s, then %s", body, read.body, again.body)
		}
		w.must(t, 204, "DELETE", "/event-types/Order%20Completed", "")
	}
	listed := w.must(t, 200, "GET", "//v1/tenants", "")
	var list struct{ Data []json.RawMessage }
	listed.into(t, &list)
	for _, tenant := range list.Data {
		w.must(t, 200, "PUT", "//v1/tenants/acme", string(tenant))
	}
	if got := w.must(t, 422, "PUT", "//v1/tenants/acme", `{"id":"other"}`); !slices.Equal(got.fields(t), []string{"id"}) {
		t.Errorf("another tenant's id: %s", got.body)
	}
}
