package subscription

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/language/quiet"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

// Bounds of a request's own lists.
const (
	maxHeaders = 50
	maxRequire = 50
)

// readRequest reads the request as written; what its templates say is judged
// with the url, by [checkTemplates].
func readRequest(d *draft, v strictjson.Value) {
	var spec webhook.RequestSpec
	d.object("request", v, map[string]func(string, strictjson.Value){
		"format":       func(path string, v strictjson.Value) { spec.Format = d.oneOf(path, v, formats) },
		"method":       func(path string, v strictjson.Value) { spec.Method = d.text(path, v) },
		"headers":      func(path string, v strictjson.Value) { spec.Headers = d.headers(path, v) },
		"content_type": func(path string, v strictjson.Value) { spec.ContentType = d.text(path, v) },
		"body":         func(_ string, v strictjson.Value) { spec.Body = json.RawMessage(v.Compact()) },
		"require": func(path string, v strictjson.Value) {
			spec.Require = d.list(path, v, maxRequire, func(string) error { return nil })
		},
	})
	if spec.Body == nil && spec.Format == formats[0] {
		spec.Format = "" // shown alike
	}
	if d.Subscription.Request = &spec; reflect.ValueOf(spec).IsZero() {
		d.Subscription.Request = nil
	}
}

func (d *draft) headers(path string, v strictjson.Value) map[string]string {
	if v.Kind() != strictjson.Object || v.Len(maxHeaders) > maxHeaders {
		d.faults.Add(path, "want an object of at most %d headers", maxHeaders)
		return nil
	}
	headers := map[string]string{}
	for name, value := range v.Members() {
		headers[name] = d.text(path+"."+strictjson.Clip(name, maxShown), value)
	}
	return headers
}

// viewRequest shows the request with the defaults that hold for it.
func viewRequest(s webhook.Subscription) any {
	spec := webhook.RequestSpec{}
	if s.Request != nil {
		spec = *s.Request
	}
	if spec.Format == "" && spec.Body == nil {
		spec.Format = formats[0]
	}
	return spec
}

// checkTemplates judges the url and the request together, once both are read.
func (d *draft) checkTemplates() {
	s := d.Subscription
	_, faults := render.Compile(s)
	for _, f := range faults {
		d.faults.Add(f.Field, "%s", f.Detail)
	}
	d.checkSignature()
	if s.Auth == nil && d.Auth == nil {
		return
	}
	if d.ownTLS() && strings.HasPrefix(strings.ToLower(s.URL), "http:") {
		d.faults.Add("auth.tls", "needs a url with https")
	}
	if s.Request == nil {
		return
	}
	own := d.authHeader()
	for name := range s.Request.Headers {
		if render.SameHeader(name, own) {
			d.faults.Add("request.headers."+name, "is set by auth")
		}
	}
}

// authHeader is the header that the auth sets, as given or as it was.
func (d *draft) authHeader() string {
	if d.Auth != nil {
		return d.Auth.Name()
	}
	return d.Subscription.Auth.Header
}

// ownTLS reports whether the auth, as given or as it was, holds certificates.
func (d *draft) ownTLS() bool {
	if d.Auth != nil {
		return d.Auth.TLS() != nil
	}
	return d.Subscription.Auth.TLS
}

// judgeURL returns why no callback can be sent to a url that may hold
// templates, or "".
func (d *draft) judgeURL(s string) string {
	if !strings.Contains(s, "{{") && !strings.Contains(s, "{%") {
		return d.checkURL(s)
	}
	request, faults := render.Compile(webhook.Subscription{URL: s})
	if len(faults) > 0 {
		return "" // said by checkTemplates
	}
	u, err := url.Parse(request.LiteralURL())
	if err != nil {
		return "want a URL"
	}
	if err := d.destinations.CheckURL(u); err != nil {
		return err.Error()
	}
	return ""
}

// addAll notes the faults of a pattern or a trigger.
func (d *draft) addAll(err error) {
	var faults pattern.Errors
	if errors.As(err, &faults) {
		for _, f := range faults {
			d.faults.Add(f.Field, "%s", f.Detail)
		}
	}
}

func readFilter(d *draft, v strictjson.Value) {
	d.Subscription.Filter = json.RawMessage(v.Compact())
	_, err := pattern.CompileOver(pattern.WithProfile, d.Subscription.Filter, "filter")
	d.addAll(err)
}

func readTrigger(d *draft, v strictjson.Value) {
	d.Subscription.Trigger = json.RawMessage(v.Compact())
	_, err := trigger.Parse(d.Subscription.Trigger)
	d.addAll(err)
}

func readMaxAge(d *draft, v strictjson.Value) {
	d.Subscription.MaxAge = d.text("max_age", v)
	if v.Kind() == strictjson.String {
		_, err := trigger.ParseMaxAge(d.Subscription.MaxAge)
		d.addAll(err)
	}
}

func readCampaign(d *draft, v strictjson.Value) {
	if d.Subscription.Campaign = d.text("campaign", v); v.Kind() == strictjson.String && !ValidID(d.Subscription.Campaign) {
		d.faults.Add("campaign", "want the id of a campaign: "+IDSyntax)
	}
}

func viewCampaign(s webhook.Subscription) any {
	if s.Campaign == "" {
		return nil
	}
	return s.Campaign
}

func readQuiet(d *draft, v strictjson.Value) {
	d.Subscription.Quiet = json.RawMessage(v.Compact())
	_, err := quiet.Read(v, "quiet")
	d.addAll(err)
}

// readAuth reads the auth; who saves the subscription seals it. One that is as
// it is shown is the stored one. Stars in another are refused: half of a secret
// auth would go where the other half says.
func readAuth(d *draft, v strictjson.Value) {
	if d.now.Auth != nil && sameJSON(json.RawMessage(v), d.now.Auth.Shown) {
		d.Auth, d.Subscription.Auth = nil, d.now.Auth
		return
	}
	a, faults := auth.Read(v)
	for _, f := range faults {
		d.faults.Add(f.Field, "%s", f.Detail)
	}
	if u := a.TokenURL(); u != "" {
		if wrong := d.checkURL(u); wrong != "" {
			d.faults.Add("auth.token_url", "%s", wrong)
		}
	}
	d.Auth, d.Subscription.Auth = a, nil
}

func viewAuth(s webhook.Subscription) any {
	if s.Auth == nil {
		return json.RawMessage(`{"type":"none"}`)
	}
	return s.Auth.Shown
}

func viewMaxAge(s webhook.Subscription) any {
	if s.MaxAge == "" {
		return nil
	}
	return s.MaxAge
}

// raw shows a field as it was written, null if it was not.
func raw(b json.RawMessage) any {
	if b == nil {
		return nil
	}
	return b
}

// Mention is a place that names a secret.
type Mention struct{ Field, Secret string }

// Mentions lists the secrets that a wish names, with their places.
func (w Wish) Mentions() []Mention {
	request, faults := render.Compile(w.Subscription)
	if len(faults) > 0 {
		return nil
	}
	var list []Mention
	for field, names := range request.Mentions() {
		for _, name := range names {
			list = append(list, Mention{field, name})
		}
	}
	names := w.Auth.Secrets()
	if w.Auth == nil && w.Subscription.Auth != nil {
		names = w.Subscription.Auth.Secrets
	}
	for _, name := range names {
		list = append(list, Mention{"auth", name})
	}
	for _, name := range w.signatureSecrets() {
		list = append(list, Mention{"signature", name})
	}
	slices.SortFunc(list, func(a, b Mention) int { return strings.Compare(a.Field+" "+a.Secret, b.Field+" "+b.Secret) })
	return list
}

// Refused is the problem of secrets that may not be named; why has a verb for
// the name.
func Refused(mentions []Mention, why string) error {
	var faults httpapi.Faults
	for _, m := range mentions {
		faults.Add(m.Field, why, m.Secret)
	}
	return faults.Err()
}
