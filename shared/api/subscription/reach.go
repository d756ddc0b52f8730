package subscription

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"strings"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/webhook"
)

// Reach names everybody whom a subscription's secrets reach: scheme, host and
// port of its url, and whom its auth trusts beside. No template decides any of
// it. Two that reach the same have the same.
func Reach(s webhook.Subscription) string {
	request, _ := render.Compile(webhook.Subscription{URL: s.URL})
	reach := auth.Origin(request.LiteralURL())
	if s.Auth != nil && s.Auth.Reach != "" {
		reach += " " + s.Auth.Reach
	}
	return reach
}

// headerField begins the names of the fields that are headers.
const headerField = "request.headers."

// Keeps reports whether the wish leaves a field that can name secrets (see
// [Mention]) as it was, whether it repeats it or does not speak of it.
func (w Wish) Keeps(was webhook.Subscription, field string) bool {
	next := w.Subscription
	switch name, isHeader := strings.CutPrefix(field, headerField); {
	case was.Version == 0:
		return false
	case field == "auth":
		return w.Auth == nil
	case field == "signature":
		return w.Signature == nil
	case field == "url":
		return next.URL == was.URL
	case next.Request == nil || was.Request == nil:
		return false
	case isHeader:
		_, value, _ := header(next.Request.Headers, name)
		_, before, ok := header(was.Request.Headers, name)
		return ok && value == before
	}
	return sameJSON(next.Request.Body, was.Request.Body)
}

// header finds a header in any case.
func header(headers map[string]string, name string) (as, value string, ok bool) {
	for as, value := range headers {
		if strings.EqualFold(as, name) {
			return as, value, true
		}
	}
	return "", "", false
}

// sameJSON reports whether two texts are the same value, however written.
func sameJSON(a, b json.RawMessage) bool {
	return a != nil && b != nil && reflect.DeepEqual(decoded(a), decoded(b))
}

func decoded(text json.RawMessage) (v any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return string(text) // the same only as what is not JSON either
	}
	return v
}

// Without returns a subscription without a field that [Mention] names. The url
// stays: there is none without.
func Without(s webhook.Subscription, field string) webhook.Subscription {
	name, isHeader := strings.CutPrefix(field, headerField)
	switch {
	case field == "auth":
		s.Auth = nil
	case field == "signature":
		s.Signature = nil
	case field == "emit":
		s.Emit = nil
	case s.Request == nil || field == "url":
	case isHeader:
		spec := *s.Request
		spec.Headers = maps.Clone(spec.Headers)
		as, _, _ := header(spec.Headers, name)
		delete(spec.Headers, as)
		s.Request = &spec
	default:
		spec := *s.Request
		spec.Body, spec.ContentType = nil, "" // one goes with the other only
		s.Request = &spec
	}
	return s
}
