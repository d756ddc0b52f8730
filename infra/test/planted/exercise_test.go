package planted

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/postino/postino/cmd/postino/demo"
	"github.com/postino/postino/shared/callback/egress/egresstest"
	"github.com/postino/postino/shared/callback/signature"
)

func token() string { return strings.ToLower(rand.Text()) }

// object writes a JSON object.
func object(pairs ...any) string {
	fields := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i].(string)] = pairs[i+1]
	}
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// signing plants a signing secret, as text and as bytes.
func (w *world) signing(name string, scheme signature.Scheme) string {
	w.Helper()
	text, err := signature.Generate(scheme)
	if err != nil {
		w.Fatal(err)
	}
	_, encoded, _ := strings.Cut(text, "_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		w.Fatal(err)
	}
	w.plant(name, string(key[:32])) // of ed25519 the private half
	w.plant(name+" as text", text)
	return text
}

// privateKey plants the number in a key.
func (w *world) privateKey(name, text string) {
	w.Helper()
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		w.Fatal(err)
	}
	number, err := key.(interface{ Bytes() ([]byte, error) }).Bytes()
	if err != nil {
		w.Fatal(err)
	}
	w.plant(name, string(number))
}

// echo answers with all that it got.
func (w *world) echo(status int) *httptest.Server {
	s := httptest.NewServer(w.echoing(status))
	w.Cleanup(s.Close)
	return s
}

func (w *world) echoing(status int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text := w.sent.note(r)
		rw.Header().Set("Location", r.URL.String())
		rw.Header().Set("X-Authorization", r.Header.Get("Authorization"))
		rw.WriteHeader(status)
		fmt.Fprint(rw, text)
	})
}

// waits are those of the subscriptions whose callbacks are tried twice.
var waits = map[string][]string{"bad": {"1s"}, "basic": {"1s"}, "oauthwrong": {"1s"}, "tlsstranger": {"1s"}, "rotated": {"1s"}}

// subscribe creates a subscription to the type that is its id.
func (w *world) subscribe(id, url string, pairs ...any) {
	w.Helper()
	w.call(201, "PUT", "/subscriptions/"+id, object(append(pairs, "url", url, "types", []string{id}, "retry", object1("schedule", append([]string{}, waits[id]...)),
		"secret", w.signing("signing secret of "+id, signature.V1))...), shownTo(id)...)
}

func object1(name string, value any) map[string]any { return map[string]any{name: value} }

// shownTo are the secrets that a subscription's owner sees.
func shownTo(id string) []string {
	return []string{"signing secret of " + id, "signing secret of " + id + " as text"}
}

// deliver publishes an event to a subscription and waits for the end.
func (w *world) deliver(id, status string) {
	w.Helper()
	w.call(202, "POST", "/events", object("type", id, "id", id, "subject", "ada", "data", object1("n", 1)))
	w.until("/deliveries?subscription="+id, `"status":"`+status+`"`)
	w.call(200, "GET", "/events/"+id, "")
	list := w.call(200, "GET", "/deliveries?event="+id, "")
	var page struct{ Data []struct{ ID string } }
	if err := json.Unmarshal([]byte(list), &page); err != nil || len(page.Data) != 1 {
		w.Fatalf("deliveries of %s: %s", id, list)
	}
	w.call(200, "GET", "/deliveries/"+page.Data[0].ID, "")
	event := object("event", object1("type", id))
	if got := w.try(id, "preview", event); !strings.Contains(got, "***") {
		w.Errorf("preview of %s shows no stars: %s", id, got)
	}
	w.try(id, "test", event)
}

func (w *world) try(id, how, event string) string {
	w.Helper()
	return w.call(200, "POST", "/subscriptions/"+id+"/"+how, strings.Replace(event, `{"type"`, `{"data":{"n":1},"subject":"ada","type"`, 1))
}

// exercise uses everything that holds a secret, well and badly.
func (w *world) exercise() {
	w.operational()
	w.namedSecrets()
	w.headers()
	w.tokens()
	w.certificates()
	w.rotations()
	w.again()
	w.keys()
	w.refusals()
	if w.broken != nil {
		w.broken(true)
		w.faults()
		w.broken(false)
	}
	w.elsewhere()
}

func (w *world) namedSecrets() {
	plain := w.plant("named secret", "planted-named ä+\"/&<%>"+token())
	w.call(201, "PUT", "/secrets/plain", object("value", plain))
	w.call(200, "PUT", "/secrets/plain", object("value", plain))
	w.call(200, "GET", "/secrets", "")
	w.call(200, "GET", "/secrets/plain", "")
	request := map[string]any{
		"headers": object1("x-key", "k {{ secrets.plain }}"), "body": map[string]any{"key": "{{ secrets.plain }}", "n": "{{ data.n }}"},
	}
	place := "/{{ secrets.plain }}?k={{ secrets.plain }}"
	w.call(201, "PUT", "/secrets/header", object("value", w.plant("named secret of a header", "planted-header-"+token())))
	request["headers"] = object1("x-key", "k {{ secrets.header }}")
	w.subscribe("good", w.echo(200).URL+place, "request", request)
	w.deliver("good", "succeeded")
	w.subscribe("bad", w.echo(302).URL+place, "request", request)
	w.deliver("bad", "exhausted")
	w.subscribe("nowhere", "http://127.0.0.1:1"+place, "request", request)
	w.deliver("nowhere", "exhausted")
	w.subscribe("notls", strings.Replace(w.echo(200).URL, "http:", "https:", 1)+place, "request", request)
	w.deliver("notls", "exhausted")
	w.call(201, "PUT", "/secrets/gone", object("value", w.plant("deleted secret", "planted-deleted-"+token())))
	w.subscribe("missing", w.echo(200).URL+"/{{ secrets.gone }}")
	w.call(204, "DELETE", "/secrets/gone", "")
	w.deliver("missing", "canceled")
}

func (w *world) headers() {
	basic := map[string]any{"type": "basic", "username": w.plant("user name", "planted-user-"+token()), "password": w.plant("password", "planted-password-ö-"+token())}
	w.subscribe("basic", w.echo(500).URL, "auth", basic)
	w.deliver("basic", "exhausted")
	w.subscribe("bearer", w.echo(200).URL, "auth", map[string]any{"type": "bearer", "token": w.plant("bearer token", "planted-bearer-"+token())})
	w.deliver("bearer", "succeeded")
	w.subscribe("cosigned", w.echo(500).URL, "signature", []any{
		map[string]any{"preset": "github", "secret": w.plant("secret of a further signature", "planted-signature-"+token())},
		map[string]any{"header": "X-Own", "text": "{{ id }}", "secret": map[string]any{"raw": w.plant("raw secret of a further signature", "planted raw "+token())}},
	})
	w.deliver("cosigned", "exhausted")
	w.subscribe("header", w.echo(404).URL, "auth", map[string]any{"type": "header", "name": "X-Api-Key", "value": w.plant("header value", "planted value "+token())})
	w.deliver("header", "exhausted")
	w.call(200, "GET", "/subscriptions", "")
}

func (w *world) tokens() {
	id, secret := w.plant("client id", "planted-client-"+token()), w.plant("client secret", "planted-client-secret-ü-"+token())
	issued := w.plant("access token", "planted-access-token-"+token())
	good := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.sent.note(r)
		fmt.Fprint(rw, object("access_token", issued, "token_type", "Bearer"))
	}))
	w.Cleanup(good.Close)
	garbled := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(rw, `{"access_token":"%s\n","token_type":"%s"}`, issued, secret)
	}))
	w.Cleanup(garbled.Close)
	for name, tt := range map[string]struct {
		endpoint string
		hook     int
		status   string
	}{
		"oauthgood": {good.URL, 200, "succeeded"}, "oauthrefused": {good.URL, 401, "exhausted"}, "oauthecho": {w.echo(200).URL, 200, "exhausted"},
		"oauthwrong": {w.echo(400).URL, 200, "exhausted"}, "oauthmoved": {w.echo(307).URL, 200, "exhausted"}, "oauthgarbled": {garbled.URL, 200, "exhausted"},
		"oauthnowhere": {"http://127.0.0.1:1/" + token(), 200, "exhausted"},
	} {
		w.subscribe(name, w.echo(tt.hook).URL, "auth", map[string]any{"type": "oauth2", "token_url": tt.endpoint, "client_id": id, "client_secret": secret, "scope": "a"})
		w.deliver(name, tt.status)
	}
}

func (w *world) certificates() {
	ca, other := egresstest.New(w.T, "ca"), egresstest.New(w.T, "other")
	s := ca.Serve(w.echoing(200), true)
	certificate, key := ca.Client("planted", egresstest.Life)
	w.privateKey("private key", key)
	foreign, foreignKey := other.Client("foreign", egresstest.Life)
	w.privateKey("refused private key", foreignKey)
	for name, tls := range map[string]map[string]string{
		"tlsgood": {"certificate": certificate, "key": key, "ca": ca.PEM()}, "tlsstranger": {"certificate": certificate, "key": key, "ca": other.PEM()},
		"tlsforeign": {"certificate": foreign, "key": foreignKey, "ca": ca.PEM()},
	} {
		w.subscribe(name, s.URL, "auth", object1("tls", tls), "request", map[string]any{"headers": object1("x-key", "{{ secrets.header }}")})
		status := "succeeded" // a certificate of an authority that the server does not name is not shown to it
		if name == "tlsstranger" {
			status = "exhausted"
		}
		w.deliver(name, status)
	}
	for _, tls := range []map[string]string{
		{"certificate": certificate, "key": foreignKey}, {"certificate": key, "key": key}, {"certificate": certificate, "key": key[:len(key)/2]}, {"key": key}, {"ca": key},
	} {
		w.call(422, "PATCH", "/subscriptions/tlsgood", object("auth", object1("tls", tls)))
	}
}

func (w *world) rotations() {
	w.subscribe("rotated", w.echo(503).URL+"/{{ secrets.plain }}")
	private := w.signing("private signing key", signature.V1a)
	w.call(200, "POST", "/subscriptions/rotated/rotate-secret", object("secret", private))
	w.call(200, "GET", "/subscriptions/rotated/secret", "")
	w.deliver("rotated", "exhausted")
	next := w.signing("next signing secret", signature.V1)
	shown := []string{"next signing secret", "next signing secret as text"}
	w.call(200, "POST", "/subscriptions/rotated/rotate-secret", object("secret", next), shown...)
	w.call(200, "GET", "/subscriptions/rotated/secret", "", shown...)
	w.call(200, "GET", "/subscriptions/good/secret", "", shownTo("good")...)
	w.call(422, "POST", "/subscriptions/rotated/rotate-secret", object("secret", private, "signing", "v1"))
	w.call(422, "PATCH", "/subscriptions/rotated", object("secret", private))
	w.call(422, "PUT", "/subscriptions/rotated", object("secret", private+"x", "url", "https://a.example"))
	w.call(204, "DELETE", "/subscriptions/basic", "")
}

func (w *world) keys() {
	for _, role := range []string{"publish", "portal", "manage"} {
		name := role + " key"
		var made struct{ ID, Key string }
		if err := json.Unmarshal([]byte(w.call(201, "POST", "/keys", object("role", role), name)), &made); err != nil {
			w.Fatal(err)
		}
		w.plant(name, made.Key)
		w.callAs(made.Key, 403, "GET", "/v1/tenants/acme/keys", "")
		w.callAs(made.Key, 404, "GET", "/v1/tenants/other/events", "")
		w.callAs(made.Key+"x", 401, "GET", "/v1/tenants/acme/events", "")
		w.call(200, "GET", "/keys", "")
		if role == "publish" {
			w.call(204, "DELETE", "/keys/"+made.ID, "")
			w.callAs(made.Key, 401, "POST", "/v1/tenants/acme/events", object("type", "a", "data", 1))
		}
	}
}

// refusals puts secrets where they are refused.
func (w *world) refusals() {
	value := w.plant("refused value", "planted-refused-"+token())
	auth := func(pairs ...any) string {
		return object("url", "https://a.example", "auth", json.RawMessage(object(pairs...)))
	}
	for _, body := range []string{
		auth("type", "bearer", "token", value+"***"), auth("type", "bearer", "token", value+"\n"), auth("type", "bearer", "token", []string{value}),
		auth("type", "bearer", "token", value+"{{ data.x }}"), auth("type", "bearer", "token", value+"{{ secrets."), auth("type", value),
		auth("type", "basic", "username", value+":x", "password", value), auth("type", "bearer", "token", value+strings.Repeat("x", 5000)),
		auth("type", "oauth2", "token_url", "https://a.example/{"+value, "client_id", value, "client_secret", value),
		object("url", "https://a.example", "secret", "whsec_"+value), object("url", "https://a.example", "secret", value),
		object("url", "https://"+value+":x@a.example", "signing", value),
	} {
		w.call(422, "POST", "/subscriptions", body)
		w.call(422, "PUT", "/subscriptions/refused", body)
		w.call(422, "POST", "/preview", `{"event":{"type":"a","data":1},"subscription":`+body+`}`)
	}
	w.call(400, "POST", "/subscriptions", `{"url":"https://a.example","secret":"`+value)
	w.call(400, "PUT", "/secrets/refused", `{"value":"`+value+`","value":"`+value+`"}`)
	for _, bad := range []string{value + "***", value + "\x00", strings.Repeat(value, 200)} {
		w.call(422, "PUT", "/secrets/refused", object("value", bad))
	}
	w.call(422, "PUT", "/secrets/refused", object("value", object1("x", value)))
	w.call(422, "POST", "/subscriptions/good/rotate-secret", object("secret", value, "overlap", "1h"))
	w.call(422, "GET", "/deliveries?subscription="+value+"%00", "")
	w.callAs(value, 401, "GET", "/v1/tenants/acme/events", "")
	w.call(404, "GET", "/nothing/"+value, "")
	w.call(404, "GET", "/subscriptions/"+value+"x", "")
}

// faults has us fail with secrets in hand.
func (w *world) faults() {
	value := w.plant("lost value", "planted-lost-"+token())
	w.call(500, "PUT", "/secrets/plain", object("value", value))
	w.call(500, "PUT", "/subscriptions/lost", object("url", "https://a.example", "auth", map[string]string{"type": "bearer", "token": value}))
	w.call(500, "PATCH", "/subscriptions/good", object("auth", map[string]string{"type": "basic", "username": value, "password": value}))
	w.call(500, "POST", "/subscriptions/good/rotate-secret", object("secret", w.signing("lost signing secret", signature.V1a)))
}

// elsewhere looks at what is no tenant's.
func (w *world) elsewhere() {
	for _, path := range []string{"/metrics", "/healthz", "/openapi.json", "/docs"} {
		w.callAs(w.adminKey, 200, "GET", path, "")
	}
	var out bytes.Buffer
	if err := (demo.Demo{URL: w.URL(), Key: w.AdminKey(), Out: &out}).Run(w.Context()); err != nil {
		w.Error(err)
	}
	w.say("demo", out.Bytes())
}
