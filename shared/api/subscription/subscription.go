// Package subscription reads and shows subscriptions in the API: one table says
// for each field how to read, check, default and show it.
//
// A field that is not in the table is refused as unknown. To add one, add a row
// to [fields], and to [rules] what it forbids beside others.
package subscription

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/cosign"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// Destinations judges where callbacks may go.
type Destinations interface {
	// CheckURL returns an error, worded for the subscription's owner, if no
	// callback could ever be sent to u.
	CheckURL(u *url.URL) error
}

// Wish is what a request to create or change a subscription asks for.
type Wish struct {
	Subscription webhook.Subscription // the fields of the table, applied to what was there
	ID           string               // as given; "" if not
	Secret       secret.String        // as given, well formed; "" if not
	Signing      string               // as given; "" if not, or if it is null
	Auth         *auth.Auth           // as given; nil if not, or if it is none
	Signature    *cosign.List         // as given; nil if not, or if there is none
	Given        []string             // names of the fields that the request has
}

// Gives reports whether the request has the field.
func (w Wish) Gives(field string) bool { return slices.Contains(w.Given, field) }

// field is one row of the table.
type field struct {
	name  string
	read  func(d *draft, v strictjson.Value) // notes faults and sets the field; v is not null
	reset func(s *webhook.Subscription)      // sets the default; nil if there is none
	view  func(s webhook.Subscription) any   // as shown; nil for what is never shown
}

// draft is a subscription being read.
type draft struct {
	Wish
	now          webhook.Subscription // as it is stored; zero for a new one
	destinations Destinations
	faults       httpapi.Faults
}

// rules check what one field alone cannot, in the finished subscription.
var rules = []func(s webhook.Subscription, faults *httpapi.Faults){
	func(s webhook.Subscription, faults *httpapi.Faults) {
		if !s.Calls() && s.Emit == nil {
			faults.Add("url", "required, unless pull is true or emit says which event is made")
		}
	},
	emitting,
	covered,
}

// Default is a subscription of which nothing is said.
func Default() webhook.Subscription {
	var s webhook.Subscription
	for _, f := range fields {
		if f.reset != nil {
			f.reset(&s)
		}
	}
	return s
}

// Read applies a request's object to base: [Default] to create, the current
// subscription to change it. Each given field replaces the whole field; null sets
// its default. Its error is a problem that names every fault.
//
// What was read of a subscription can be written back: fields that are ours are
// taken and change nothing, and an auth as it is shown, with its stars, is the
// stored one.
func Read(body strictjson.Value, base webhook.Subscription, destinations Destinations) (Wish, error) {
	return read(body, base, base, destinations)
}

// Replace is [Read] for a subscription that is to have nothing of the one that
// is there now but what the object has.
func Replace(body strictjson.Value, now webhook.Subscription, destinations Destinations) (Wish, error) {
	return read(body, Default(), now, destinations)
}

func read(body strictjson.Value, base, now webhook.Subscription, destinations Destinations) (Wish, error) {
	if body.Kind() != strictjson.Object {
		return Wish{}, httpapi.Invalid(httpapi.FieldError{Field: "body", Detail: "want an object"})
	}
	d := draft{Wish: Wish{Subscription: base}, now: now, destinations: destinations}
	for name, v := range body.Members() {
		d.member(name, v)
	}
	d.settleSigning()
	for _, rule := range rules {
		rule(d.Subscription, &d.faults)
	}
	d.checkPull()
	if d.Subscription.Calls() || d.Subscription.Emit != nil {
		d.checkTemplates()
	}
	d.weigh()
	return d.Wish, d.faults.Err()
}

func (d *draft) member(name string, v strictjson.Value) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if i < 0 {
		d.unknown(name)
		return
	}
	d.Given = append(d.Given, name)
	switch f := fields[i]; {
	case v.Kind() != strictjson.Null:
		f.read(d, v)
	case f.reset != nil:
		f.reset(&d.Subscription)
	default:
		d.faults.Add(name, "cannot be null")
	}
}

// absent is what a field shows that is left out.
var absent any = new(byte)

// maxShown is how many bytes of an unknown name are shown.
const maxShown = 100

// View writes a subscription as the API shows it, in the table's order. Its
// secret is shown only if one is given, and the fields that it lost by a change
// only if there are any.
func View(s webhook.Subscription, shown secret.String, dropped ...string) httpapi.Encoded {
	b := []byte{'{'}
	for _, f := range fields {
		if f.view == nil {
			continue
		}
		if shown := f.view(s); shown != absent {
			b = appendMember(b, f.name, shown)
		}
	}
	if shown != "" {
		b = appendMember(b, "secret", shown.Reveal())
	}
	if len(dropped) > 0 {
		b = appendMember(b, "dropped", dropped)
	}
	return append(b, '}')
}

func appendMember(b []byte, name string, value any) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	b = strconv.AppendQuote(b, name)
	b = append(b, ':')
	return append(b, httpapi.Encode(value)...)
}
