package manage_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/egress/egresstest"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

const portalKey = "key-of-a-customer"

// withPortal knows a portal key of acme beside the admin key.
type withPortal struct{ httpapi.AdminKey }

func (a withPortal) Authenticate(ctx context.Context, tenant, key string) (httpapi.Principal, bool, error) {
	if key == portalKey {
		return httpapi.Principal{Role: httpapi.Portal, Tenant: "acme"}, true, nil
	}
	return a.AdminKey.Authenticate(ctx, tenant, key)
}

func openWithPortal(t testing.TB) *world {
	w := open(t)
	w.Auth = withPortal{httpapi.NewAdminKey(adminKey)}
	return w
}

// asPortal calls as a customer.
func (w *world) asPortal(method, path, body string) answer {
	r := httptest.NewRequest(method, "/v1/tenants/acme"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+portalKey)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return w.send(r)
}

// operators is what an operator set up: secrets in every place that takes one.
const operators = `{"url":"https://a.example/in/{{ subject }}?k={{ secrets.op }}","auth":{"type":"bearer","token":"{{ secrets.op }}"},
	"request":{"headers":{"X-Key":"{{ secrets.op }}","X-Own":"{{ secrets.own }}"},"body":{"k":"{{ secrets.op }}","d":"{{ data | json }}"}}}`

// set makes the operator's subscription s, and the secrets op, which is the
// operator's, and own, which is made for portal keys.
func (w *world) set(t *testing.T, subscription string) {
	t.Helper()
	w.must(t, 201, "PUT", "/secrets/op", `{"value":"operator's"}`)
	w.must(t, 201, "PUT", "/secrets/own", `{"value":"customer's","portal":true}`)
	w.must(t, 201, "PUT", sub+"/s", subscription)
}

func TestWhatAPortalKeyMovesGoesWithoutWhatOthersSet(t *testing.T) {
	authority := egresstest.New(t, "customer")
	ca, err := json.Marshal(authority.PEM())
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"auth", "request.body", "request.headers.x-key"}
	for name, tt := range map[string]struct {
		was, patch string
		dropped    []string
		portal     bool // a portal key chose where it goes
	}{
		"another path":             {operators, `{"url":"https://A.example:443/out"}`, nil, false},
		"another name":             {operators, `{"name":"n","filter":{"type":["a"]}}`, nil, false},
		"another host":             {operators, `{"url":"https://b.example/in"}`, all, true},
		"another port":             {operators, `{"url":"https://a.example:8443/in"}`, all, true},
		"another scheme":           {operators, `{"url":"http://a.example/in"}`, all, true},
		"a templated url":          {operators, `{"url":"https://b.example/{{ subject }}"}`, all, true},
		"its own auth with it":     {operators, `{"url":"https://b.example/","auth":{"type":"bearer","token":"{{ secrets.own }}"}}`, all[1:], true},
		"another token_url":        {oauth, `{"auth":{"type":"oauth2","token_url":"https://b.example/t","client_id":"c","client_secret":"s"}}`, all[1:], true},
		"no token_url":             {oauth, `{"auth":null}`, all[1:], true},
		"its own authorities":      {operators + "\n", `{"url":"https://a.example/","auth":{"tls":{"ca":` + string(ca) + `}}}`, all[1:], true},
		"no authorities":           {strings.Replace(operators, `"token":`, `"tls":{"ca":`+string(ca)+`},"token":`, 1), `{"url":"https://a.example/","auth":null}`, all[1:], true},
		"headers replaced as well": {operators, `{"url":"https://b.example/","request":{"headers":{"X":"y"}}}`, []string{"auth"}, true},
		"a key that others wrote":  {`{"url":"https://a.example/","signature":[{"preset":"stripe","secret":"operators-key"}]}`, `{"url":"https://b.example/"}`, []string{"signature"}, true},
		"a signature of others":    {`{"url":"https://a.example/","signature":[{"preset":"stripe","secret":"{{ secrets.op }}"}]}`, `{"url":"https://b.example/"}`, []string{"signature"}, true},
		"the same place":           {`{"url":"https://a.example/","signature":[{"preset":"stripe","secret":"{{ secrets.op }}"}]}`, `{"url":"https://a.example/other"}`, nil, false},
		"its own secret stays":     {`{"url":"https://a.example/","auth":{"type":"bearer","token":"t"},"request":{"headers":{"X-Own":"{{ secrets.own }}"}}}`, `{"url":"https://b.example/"}`, []string{"auth"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWithPortal(t)
			w.allowPrivate()
			w.set(t, tt.was)
			before := w.must(t, 200, "GET", sub+"/s/secret", "")
			got := w.asPortal("PATCH", sub+"/s", tt.patch)
			if got.status != 200 {
				t.Fatalf("PATCH %s = %d %s", tt.patch, got.status, got.body)
			}
			if dropped := textList(got.get(t, "dropped")); !reflect.DeepEqual(dropped, tt.dropped) {
				t.Errorf("dropped %q, want %q", dropped, tt.dropped)
			}
			read := string(w.must(t, 200, "GET", sub+"/s", "").body)
			if moved := !strings.Contains(read, "secrets.op") && !strings.Contains(read, "stripe"); tt.portal != moved {
				t.Errorf("the secret op is gone: %t, want %t: %s", moved, tt.portal, read)
			}
			if strings.Contains(tt.was, "X-Own") && !strings.Contains(tt.patch, "request") && !strings.Contains(read, "secrets.own") {
				t.Errorf("what is made for portal keys is gone too: %s", read)
			}
			if s := w.version(t, "s"); s.Portal != tt.portal {
				t.Errorf("stored as chosen by a portal key: %t, want %t", s.Portal, tt.portal)
			}
			if after := w.must(t, 200, "GET", sub+"/s/secret", ""); string(after.body) != string(before.body) {
				t.Errorf("its signing secret changed")
			}
		})
	}
}

// oauth is an operator's with a token endpoint.
var oauth = strings.NewReplacer(`{"type":"bearer","token":"{{ secrets.op }}"}`,
	`{"type":"oauth2","token_url":"https://a.example/t","client_id":"c","client_secret":"{{ secrets.op }}"}`,
	`?k={{ secrets.op }}`, "").Replace(operators)

// A url that nobody changed cannot go without a secret in it.
func TestAPortalKeyDoesNotMoveAUrlWithASecretByItsAuth(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, operators)
	got := w.asPortal("PATCH", sub+"/s", `{"auth":{"type":"oauth2","token_url":"https://b.example/t","client_id":"c","client_secret":"s"}}`)
	if got.status != 422 || !reflect.DeepEqual(got.fields(t), []string{"url"}) {
		t.Errorf("PATCH = %d %s, want 422 for the url", got.status, got.body)
	}
}

// A customer's further signatures are the customer's: made with what is for
// portal keys, and shown to nobody. Those of others stay where they are.
func TestAPortalKeySignsWithItsOwnSecretsOnly(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, `{"url":"https://a.example/","signature":[{"preset":"github","secret":"operators-key"}]}`)
	shown := w.asPortal("GET", sub+"/s", "")
	if strings.Contains(string(shown.body), "operators-key") {
		t.Errorf("a portal key reads the key of a signature: %s", shown.body)
	}
	for _, name := range []string{"op", "none"} {
		got := w.asPortal("PATCH", sub+"/s", `{"signature":[{"header":"X-S","text":"{{ body }}","secret":"{{ secrets.`+name+` }}"}]}`)
		if got.status != 422 || !reflect.DeepEqual(got.fields(t), []string{"signature"}) || !strings.Contains(string(got.body), "that a portal key can use") {
			t.Errorf("signing with the secret %s = %d %s, want 422 for signature", name, got.status, got.body)
		}
	}
	for _, stars := range []string{`[{"preset":"stripe","secret":"***"}]`, `[{"preset":"github","secret":"***"},{"preset":"stripe","secret":"x"}]`} {
		if got := w.asPortal("PATCH", sub+"/s", `{"signature":`+stars+`}`); got.status != 422 {
			t.Errorf("the operator's key in another signature: %s = %d %s, want 422", stars, got.status, got.body)
		}
	}
	if got := w.asPortal("PATCH", sub+"/s", `{"signature":[{"preset":"github","secret":"***"}],"name":"n"}`); got.status != 200 {
		t.Errorf("written back as read = %d %s", got.status, got.body)
	}
	if s := w.version(t, "s"); s.Signature == nil || s.Signature.Portal {
		t.Errorf("written back, it is %+v, want the operator's", s.Signature)
	}
	own := `{"url":"https://b.example/","signature":[{"preset":"stripe","secret":"{{ secrets.own }}"}]}`
	if got := w.asPortal("PATCH", sub+"/s", own); got.status != 200 || got.get(t, "dropped") != nil {
		t.Errorf("its own signature with another url = %d %s", got.status, got.body)
	}
	if got := w.asPortal("PATCH", sub+"/s", `{"url":"https://c.example/"}`); got.status != 200 || w.version(t, "s").Signature == nil {
		t.Errorf("its own signature went with a move: %d %s", got.status, got.body)
	}
	if got := w.do(t, "PATCH", sub+"/s", `{"signature":[{"preset":"stripe","secret":"operators-key"}]}`); got.status != 422 || !reflect.DeepEqual(got.fields(t), []string{"url"}) {
		t.Errorf("an operator's signature to where a portal key says = %d %s, want 422 for url", got.status, got.body)
	}
}

// Auth that is written as it is shown is the stored one: it stays where it is.
func TestAuthThatIsWrittenBackDoesNotMoveWithAUrl(t *testing.T) {
	for url, dropped := range map[string][]string{"https://a.example/other": nil, "https://b.example/": {"auth"}} {
		w := openWithPortal(t)
		w.set(t, `{"url":"https://a.example/","auth":{"type":"bearer","token":"t"}}`)
		var all map[string]any
		w.asPortal("GET", sub+"/s", "").into(t, &all)
		all["url"] = url
		body, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		got := w.asPortal("PUT", sub+"/s", string(body))
		if list := textList(got.get(t, "dropped")); got.status != 200 || !reflect.DeepEqual(list, dropped) {
			t.Errorf("PUT with the url %s = %d %s, want %q dropped", url, got.status, got.body, dropped)
		}
		if s := w.version(t, "s"); (s.Auth == nil) != (dropped != nil) {
			t.Errorf("with the url %s its auth is %+v, want it gone: %t", url, s.Auth, dropped != nil)
		}
	}
}

func TestAPortalKeyWritesBackWhatItRead(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, strings.Replace(operators, `"auth":{"type":"bearer","token":"{{ secrets.op }}"},`, "", 1))
	var all map[string]any
	w.asPortal("GET", sub+"/s", "").into(t, &all)
	for _, ours := range []string{"id", "disabled_reason", "created_at", "updated_at", "auth"} {
		delete(all, ours)
	}
	for name, v := range all {
		if v == nil {
			delete(all, name)
		}
	}
	body, err := json.Marshal(all) // as another client writes it
	if err != nil {
		t.Fatal(err)
	}
	if got := w.asPortal("PUT", sub+"/s", string(body)); got.status != 200 || got.get(t, "dropped") != nil {
		t.Errorf("PUT of what was read = %d %s, want 200 with nothing dropped", got.status, got.body)
	}
	w.must(t, 204, "DELETE", "/secrets/op", "")
	if got := w.asPortal("PATCH", sub+"/s", `{"name":"n"}`); got.status != 200 {
		t.Errorf("PATCH once the operator's secret is gone = %d %s, want 200 as before", got.status, got.body)
	}
}

// Every place that takes a secret, in every request that takes a subscription.
func TestAPortalKeyNamesOnlySecretsMadeForIt(t *testing.T) {
	w := openWithPortal(t)
	w.allowLoopback()
	w.set(t, `{"url":"https://a.example/"}`)
	places := map[string]string{
		"url":                   `"url":"https://a.example/{{ secrets.NAME }}"`,
		"request.headers.x-key": `"url":"https://a.example/","request":{"headers":{"X-Key":"{% if data.a %}{{ secrets.NAME }}{% endif %}"}}`,
		"request.body":          `"url":"https://a.example/","request":{"body":"{{ secrets.NAME }}","content_type":"text/plain"}`,
		"auth":                  `"url":"https://a.example/","auth":{"type":"basic","username":"u","password":"{{ secrets.NAME }}"}`,
	}
	for field, place := range places {
		for request, wrap := range map[string]string{
			"POST " + sub: "{%}", "PUT " + sub + "/s": "{%}", "PUT " + sub + "/new": "{%}", "PATCH " + sub + "/s": "{%}",
			"POST /preview": `{"subscription":{%},"event":{"type":"a","data":1}}`,
		} {
			method, path, _ := strings.Cut(request, " ")
			ask := func(secret string) answer {
				return w.asPortal(method, path, strings.Replace(wrap, "%", strings.Replace(place, "NAME", secret, 1), 1))
			}
			theirs, none := ask("op"), ask("no")
			blank := strings.NewReplacer(`\"op\"`, "", `\"no\"`, "").Replace
			if fields := strings.Join(theirs.fields(t), " "); theirs.status != 422 || strings.TrimPrefix(fields, "subscription.") != field {
				t.Errorf("%s that names the operator's secret in %s = %d %s, want 422 for it", request, field, theirs.status, theirs.body)
			}
			if theirs.status != none.status || blank(string(theirs.body)) != blank(string(none.body)) {
				t.Errorf("%s tells a secret that exists from one that does not:\n%s\n%s", request, theirs.body, none.body)
			}
			if own := ask("own"); own.status >= 300 {
				t.Errorf("%s that names what is made for portal keys in %s = %d %s", request, field, own.status, own.body)
			}
		}
	}
}

func TestWhereAPortalKeySaysOnlyAUrlThatIsSaidAgainGetsSecrets(t *testing.T) {
	for name, tt := range map[string]struct {
		method, body string
		status       int
		portal       bool
	}{
		"auth":                       {"PATCH", `{"auth":{"type":"bearer","token":"t"}}`, 422, true},
		"a secret":                   {"PATCH", `{"request":{"headers":{"X":"{{ secrets.op }}"}}}`, 422, true},
		"a secret for portal keys":   {"PATCH", `{"request":{"headers":{"X":"{{ secrets.own }}"}}}`, 200, true},
		"nothing secret":             {"PATCH", `{"name":"n"}`, 200, true},
		"auth with the url":          {"PATCH", `{"url":"https://b.example/","auth":{"type":"bearer","token":"t"}}`, 200, false},
		"another url":                {"PATCH", `{"url":"https://c.example/"}`, 200, false},
		"all of it":                  {"PUT", `{"url":"https://b.example/","auth":{"type":"bearer","token":"{{ secrets.op }}"}}`, 200, false},
		"a secret that is not there": {"PATCH", `{"request":{"headers":{"X":"{{ secrets.no }}"}}}`, 422, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWithPortal(t)
			w.set(t, `{"url":"https://a.example/"}`)
			if got := w.asPortal("PATCH", sub+"/s", `{"url":"https://b.example/"}`); got.status != 200 {
				t.Fatalf("move = %d %s", got.status, got.body)
			}
			if got := w.do(t, tt.method, sub+"/s", tt.body); got.status != tt.status {
				t.Errorf("%s %s = %d %s, want %d", tt.method, tt.body, got.status, got.body, tt.status)
			}
			if s := w.version(t, "s"); s.Portal != tt.portal {
				t.Errorf("chosen by a portal key: %t, want %t", s.Portal, tt.portal)
			}
		})
	}
}

func TestASecretSaysWhetherItIsForPortalKeys(t *testing.T) {
	w := open(t)
	for _, tt := range []struct {
		body   string
		status int
		portal any
	}{
		{`{"value":"a"}`, 201, false},
		{`{"value":"b","portal":true}`, 200, true},
		{`{"value":"c"}`, 200, true}, // a rotation says nothing of it
		{`{"value":"d","portal":false}`, 200, false},
		{`{"value":"e","portal":"yes"}`, 422, nil},
		{`{"value":"e","portal":null}`, 422, nil},
		{`{"portal":true}`, 422, nil},
	} {
		got := w.must(t, tt.status, "PUT", "/secrets/x", tt.body)
		if portal := got.get(t, "portal"); portal != tt.portal {
			t.Errorf("PUT %s: portal %v, want %v", tt.body, portal, tt.portal)
		}
	}
	w.must(t, 200, "PUT", "/secrets/x", `{"value":"f","portal":true}`)
	if got := w.must(t, 200, "GET", "/secrets/x", ""); got.get(t, "portal") != true {
		t.Errorf("GET = %s", got.body)
	}
	if got := w.must(t, 200, "GET", "/secrets", ""); !strings.Contains(string(got.body), `"portal":true`) {
		t.Errorf("list = %s", got.body)
	}
}

func textList(v any) (list []string) {
	items, _ := v.([]any)
	for _, item := range items {
		list = append(list, item.(string))
	}
	return list
}

func TestAPortalKeySeesJobsOfOneSubscriptionOnly(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, `{"url":"https://a.example/"}`)
	const since = `{"after":"2026-03-01T00:00:00Z"}`
	if got := w.asPortal("POST", "/recover", since); got.status != 403 {
		t.Errorf("recover of the whole tenant = %d %s, want 403", got.status, got.body)
	}
	all, _ := w.must(t, 202, "POST", "/recover", since).get(t, "id").(string)
	if got := w.asPortal("GET", "/jobs/"+all, ""); got.status != 404 || strings.Contains(string(got.body), all) {
		t.Errorf("the whole tenant's job = %d %s, want 404", got.status, got.body)
	}
	w.advance(time.Hour) // the claim ends
	own := w.asPortal("POST", sub+"/s/recover", since)
	if own.status != 202 {
		t.Fatalf("recover of one subscription = %d %s", own.status, own.body)
	}
	id, _ := own.get(t, "id").(string)
	if got := w.asPortal("GET", "/jobs/"+id, ""); got.status != 200 {
		t.Errorf("its own job = %d %s", got.status, got.body)
	}
	list := w.asPortal("GET", "/jobs", "")
	if text := string(list.body); strings.Contains(text, all) || !strings.Contains(text, id) {
		t.Errorf("list %s, want %s and not %s", text, id, all)
	}
}

// What is known of a key only manage may read: a preview must not tell it.
func TestAPortalKeysPreviewTellsNothingOfAKeysState(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, `{"url":"https://a.example/","trigger":{"key":"subject","once":true}}`)
	const ask = `{"event":{"type":"a","subject":"ada","data":1}}`
	w.fire(t, w.version(t, "s"), webhook.Event{Tenant: "acme", ID: "e1", Type: "a", Subject: "ada", Data: json.RawMessage("1"), Time: w.now(), AcceptedAt: w.now()})
	if got := w.must(t, 200, "POST", sub+"/s/preview", ask); got.get(t, "matched") != false {
		t.Fatalf("the operator's preview = %s, want one that knows of ada", got.body)
	}
	known, unknown := w.asPortal("POST", sub+"/s/preview", ask), w.asPortal("POST", sub+"/s/preview", strings.Replace(ask, "ada", "bob", 1))
	if known.get(t, "matched") != true || unknown.get(t, "matched") != true {
		t.Errorf("a portal key's preview of a key that has fired, and of another:\n%s\n%s\nwant the same", known.body, unknown.body)
	}
}

// fire stores what a subscription's trigger knows once it has handled an event.
func (w *world) fire(t *testing.T, s webhook.Subscription, e webhook.Event) {
	t.Helper()
	spec, err := trigger.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := trigger.DecodeEvent(e)
	if err != nil {
		t.Fatal(err)
	}
	o, reason := spec.Occurrence(s, e, decoded)
	items, err := w.store.TriggerState(t.Context(), o.Refs())
	if err != nil || reason != "" {
		t.Fatal(err, reason)
	}
	_, changed, err := o.Decide(items, w.now(), trigger.Always)
	if err == nil {
		err = w.store.SaveTriggerState(t.Context(), changed)
	}
	if err != nil {
		t.Fatal(err)
	}
}
