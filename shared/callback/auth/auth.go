// Package auth authenticates callbacks, in addition to the signature: basic,
// bearer, a custom header, or an access token of OAuth 2.0; and the
// certificates of the connection.
package auth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postino/postino/shared/callback/oauth"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
)

// kinds are the fields of each type of auth.
var kinds = map[string][]field{
	"none":   {},
	"basic":  {{name: "username", secret: true, check: refuseColon}, {name: "password", secret: true, empty: true}},
	"bearer": {{name: "token", secret: true}},
	"header": {{name: "name", check: refuseHeader}, {name: "value", secret: true}},
	"oauth2": {
		{name: "token_url"}, // judged by whoever knows where requests may go: see [Auth.TokenURL]
		{name: "client_id", secret: true},
		{name: "client_secret", secret: true},
		{name: "scope", empty: true, check: refuseScope},
	},
}

type field struct {
	name   string
	secret bool                      // never shown; may hold {{ secrets.name }}
	empty  bool                      // may be absent or ""
	check  func(value string) string // what else is wrong; nil for nothing
}

func names(fields []field) (list []string) {
	for _, f := range fields {
		list = append(list, f.name)
	}
	return list
}

// maxValue is the most bytes of one field.
const maxValue = 4 << 10

// Auth is one subscription's auth, ready for use. Nil is none. It never
// changes.
type Auth struct {
	kind   string
	values map[string]string
	texts  map[string]*liquid.Template // of the secret fields
	tls    *TLS                        // nil for none
}

// Read reads the auth field of a subscription as its owner wrote it. Null and
// type none give nil.
func Read(v strictjson.Value) (*Auth, []render.Fault) {
	if v.Kind() == strictjson.Null {
		return nil, nil
	}
	if v.Kind() != strictjson.Object {
		return nil, []render.Fault{{Field: "auth", Detail: "want an object"}}
	}
	values := map[string]string{}
	var faults []render.Fault
	var own *TLS
	for name, value := range v.Members() {
		if name == "tls" {
			if value.Kind() != strictjson.Null {
				own, faults = readTLS(value)
			}
			continue
		}
		text, ok := value.Text()
		if !ok {
			faults = append(faults, render.Fault{Field: "auth." + name, Detail: "want a string"})
		}
		values[name] = text
	}
	if own != nil && values["type"] == "" {
		values["type"] = "none"
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return build(values, own)
}

// build judges the fields and compiles their templates.
func build(values map[string]string, own *TLS) (*Auth, []render.Fault) {
	fields, known := kinds[values["type"]]
	if !known {
		return nil, []render.Fault{{Field: "auth.type", Detail: "want one of none, basic, bearer, header, oauth2" + suggest.Hint(values["type"], slices.Sorted(maps.Keys(kinds)))}}
	}
	a := &Auth{kind: values["type"], values: map[string]string{}, texts: map[string]*liquid.Template{}, tls: own}
	var faults []render.Fault
	for name := range values {
		if name != "type" && !slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			faults = append(faults, render.Fault{Field: "auth." + name, Detail: "unknown field of type " + a.kind + suggest.Hint(name, names(fields))})
		}
	}
	for _, f := range fields {
		if why := a.take(f, values[f.name]); why != "" {
			faults = append(faults, render.Fault{Field: "auth." + f.name, Detail: why})
		}
	}
	slices.SortFunc(faults, func(x, y render.Fault) int { return strings.Compare(x.Field, y.Field) })
	if a.kind == "none" && own == nil || len(faults) > 0 {
		return nil, faults
	}
	return a, nil
}

// take judges one field; "" means that it is well.
func (a *Auth) take(f field, value string) string {
	switch {
	case value == "" && !f.empty:
		return "required"
	case len(value) > maxValue:
		return fmt.Sprintf("want at most %d bytes", maxValue)
	case strings.Contains(value, render.Stars):
		return "*** stands for a secret that is not shown: give the secret itself, or the whole auth as it is shown"
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "want no control characters"
	}
	a.values[f.name] = value
	if f.check != nil && value != "" {
		if why := f.check(value); why != "" {
			return why
		}
	}
	if !f.secret {
		return ""
	}
	t, err := liquid.Parse(value, liquid.Options{Secrets: true})
	if err != nil {
		return err.Error()
	}
	if len(t.Roots()) > 0 || len(t.Outputs()) != len(t.Secrets()) {
		return "want no template but {{ secrets.name }}"
	}
	a.texts[f.name] = t
	return ""
}

func refuseColon(name string) string {
	if strings.Contains(name, ":") {
		return "want no colon"
	}
	return ""
}

// refuseScope: RFC 6749, 3.3.
func refuseScope(scope string) string {
	if strings.ContainsAny(scope, `"\`) || strings.ContainsFunc(scope, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "want words separated by spaces, of printable ASCII without quotes and backslashes"
	}
	return ""
}

func refuseHeader(name string) string {
	if !render.ValidHeaderName(name) {
		return "want the name of a header"
	}
	return render.RefusedHeader(strings.ToLower(name))
}

// Secrets returns the names of the secrets that it mentions.
func (a *Auth) Secrets() []string {
	var names []string
	if a != nil {
		for _, t := range a.texts {
			names = append(names, t.Secrets()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TLS returns what connections are made with; nil for what all are made with.
func (a *Auth) TLS() *TLS {
	if a == nil {
		return nil
	}
	return a.tls
}

// TokenURL is where an access token comes from; "" if it needs none.
func (a *Auth) TokenURL() string {
	if a == nil {
		return ""
	}
	return a.values["token_url"]
}

// Grant returns what an access token is asked with, if it needs one. Value
// returns a secret by its name.
func (a *Auth) Grant(value func(name string) string) (g oauth.Grant, ok bool) {
	if a == nil || a.kind != "oauth2" {
		return g, false
	}
	return oauth.Grant{
		URL: a.values["token_url"], ClientID: a.fill("client_id", value), ClientSecret: a.fill("client_secret", value), Scope: a.values["scope"],
	}, true
}

// Header returns the header that carries it; name is "" for none. Of one that
// needs an access token it is only the beginning. Value returns a secret by its
// name.
func (a *Auth) Header(value func(name string) string) (name, text string) {
	if a == nil {
		return "", ""
	}
	switch a.kind {
	case "none":
		return "", ""
	case "basic":
		pair := a.fill("username", value) + ":" + a.fill("password", value)
		return "authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	case "bearer":
		return "authorization", "Bearer " + a.fill("token", value)
	case "oauth2":
		return "authorization", "Bearer "
	}
	return strings.ToLower(a.values["name"]), a.fill("value", value)
}

// Name returns the header's name in lower case, "" for none.
func (a *Auth) Name() string {
	name, _ := a.Header(func(string) string { return "" })
	return name
}

// Hidden returns the secrets that it sends, or asks for a token with, as they
// stand in requests.
func (a *Auth) Hidden(value func(name string) string) []string {
	if a == nil {
		return nil
	}
	var hidden []string
	if a.kind == "basic" {
		_, text := a.Header(value)
		hidden = append(hidden, strings.TrimPrefix(text, "Basic "))
	}
	for field := range a.texts {
		hidden = append(hidden, a.fill(field, value))
	}
	return hidden
}

func (a *Auth) fill(field string, value func(string) string) string {
	t := a.texts[field]
	if t == nil {
		return ""
	}
	segments, err := t.Segments(liquid.Scope{})
	if err != nil {
		return "" // a text of literals and secrets cannot fail
	}
	var b strings.Builder
	for _, g := range segments {
		if g.Secret != "" {
			b.WriteString(value(g.Secret))
		}
		b.WriteString(g.Text)
	}
	return b.String()
}

// Encode writes it, secrets and all, for sealing.
func (a *Auth) Encode() []byte {
	b := append([]byte(`{"type":`), liquid.AppendQuoted(nil, a.kind)...)
	for _, f := range kinds[a.kind] {
		b = liquid.AppendQuoted(append(b, ','), f.name)
		b = liquid.AppendQuoted(append(b, ':'), a.values[f.name])
	}
	if a.tls != nil {
		text, err := json.Marshal(a.tls.parts())
		if err != nil {
			panic("auth: " + err.Error()) // strings
		}
		b = append(append(b, `,"tls":`...), text...)
	}
	return append(b, '}')
}

// Decode reads what [Auth.Encode] wrote; nil bytes give nil.
func Decode(b []byte) (*Auth, error) {
	if b == nil {
		return nil, nil
	}
	v, err := strictjson.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("read auth: not what was written")
	}
	a, faults := Read(v)
	if len(faults) > 0 {
		return nil, fmt.Errorf("read auth: %s: %s", faults[0].Field, faults[0].Detail)
	}
	return a, nil
}

// View is what reads of a subscription show: its shape, and stars for every
// secret.
func (a *Auth) View() json.RawMessage {
	if a == nil {
		return json.RawMessage(`{"type":"none"}`)
	}
	b := append([]byte(`{"type":`), liquid.AppendQuoted(nil, a.kind)...)
	for _, f := range kinds[a.kind] {
		shown := a.values[f.name]
		if f.secret && shown != "" {
			shown = render.Stars
		}
		b = liquid.AppendQuoted(append(b, ','), f.name)
		b = liquid.AppendQuoted(append(b, ':'), shown)
	}
	if a.tls != nil {
		b = append(append(b, `,"tls":`...), a.tls.view()...)
	}
	return append(b, '}')
}
