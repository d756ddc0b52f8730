package subscription

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/render"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/rfc3339"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// The bounds of the fields.
const (
	maxName        = 256     // characters
	maxDescription = 2048    // characters
	maxMetadata    = 8 << 10 // bytes
	maxURL         = 2048    // characters
	maxTypes       = 100
)

// fields is the table, in the order in which a subscription is shown.
var fields = []field{
	{"id", readID, nil, func(s webhook.Subscription) any { return s.ID }},
	{"name", readName, func(s *webhook.Subscription) { s.Name = "" }, func(s webhook.Subscription) any { return s.Name }},
	{"description", readDescription, func(s *webhook.Subscription) { s.Description = "" }, func(s webhook.Subscription) any { return s.Description }},
	{"metadata", readMetadata, func(s *webhook.Subscription) { s.Metadata = nil }, viewMetadata},
	{"url", readURL, func(s *webhook.Subscription) { s.URL = "" }, viewURL},
	{"pull", readPull, func(s *webhook.Subscription) { s.Pull = false }, viewPull},
	{"types", readTypes, func(s *webhook.Subscription) { s.Types = nil }, func(s webhook.Subscription) any { return s.Types }},
	{"filter", readFilter, func(s *webhook.Subscription) { s.Filter = nil }, func(s webhook.Subscription) any { return raw(s.Filter) }},
	{"trigger", readTrigger, func(s *webhook.Subscription) { s.Trigger = nil }, func(s webhook.Subscription) any { return raw(s.Trigger) }},
	{"max_age", readMaxAge, func(s *webhook.Subscription) { s.MaxAge = "" }, viewMaxAge},
	{"campaign", readCampaign, func(s *webhook.Subscription) { s.Campaign = "" }, viewCampaign},
	{"quiet", readQuiet, func(s *webhook.Subscription) { s.Quiet = nil }, func(s webhook.Subscription) any { return raw(s.Quiet) }},
	{"request", readRequest, func(s *webhook.Subscription) { s.Request = nil }, viewRequest},
	{"emit", readEmit, func(s *webhook.Subscription) { s.Emit = nil }, viewEmit},
	{"auth", readAuth, func(s *webhook.Subscription) { s.Auth = nil }, viewAuth},
	{"signature", readSignature, func(s *webhook.Subscription) { s.Signature = nil }, viewSignature},
	{"signing", readSigning, resetSigning, func(s webhook.Subscription) any { return s.Signing }},
	{"retry", readRetry, func(s *webhook.Subscription) { s.Retry = defaultRetry() }, func(s webhook.Subscription) any { return s.Retry }},
	{"rate_limit", readRateLimit, func(s *webhook.Subscription) { s.RateLimit = nil }, viewRateLimit},
	{"state", readState, func(s *webhook.Subscription) { setState(s, webhook.Active) }, func(s webhook.Subscription) any { return s.State }},
	{"disabled_reason", oursText("disabled_reason"), keep, viewDisabledReason},
	{"created_at", oursTime("created_at"), keep, func(s webhook.Subscription) any { return httpapi.Time(s.CreatedAt) }},
	{"updated_at", oursTime("updated_at"), keep, func(s webhook.Subscription) any { return httpapi.Time(s.UpdatedAt) }},
	{"secret", readSecret, nil, nil},
	{"dropped", func(*draft, strictjson.Value) {}, keep, nil},  // of the answer to a change
	{"warnings", func(*draft, strictjson.Value) {}, keep, nil}, // the same
}

// keep is the default of a field that is ours to set. A request may repeat such
// a field as it was read, or null: it changes nothing.
func keep(*webhook.Subscription) {}

func oursText(name string) func(*draft, strictjson.Value) {
	return func(d *draft, v strictjson.Value) { d.text(name, v) }
}

func oursTime(name string) func(*draft, strictjson.Value) {
	return func(d *draft, v strictjson.Value) {
		if _, err := rfc3339.Parse(d.text(name, v)); err != nil {
			d.faults.Add(name, "is set by Postino: omit it, or send it as you read it")
		}
	}
}

var idSyntax = regexp.MustCompile(`^[a-z0-9_-]+$`)

// ValidID reports whether s can be a subscription's id.
func ValidID(s string) bool { return len(s) <= 64 && idSyntax.MatchString(s) }

// IDSyntax says what an id looks like.
const IDSyntax = "want 1 to 64 of a-z, 0-9, _ and -"

func readID(d *draft, v strictjson.Value) {
	if d.ID = d.text("id", v); d.ID != "" && !ValidID(d.ID) || string(v) == `""` {
		d.faults.Add("id", IDSyntax)
	}
}

// text reads a string.
func (d *draft) text(path string, v strictjson.Value) string {
	s, ok := v.Text()
	if !ok {
		d.faults.Add(path, "want a string")
	}
	return s
}

func readName(d *draft, v strictjson.Value) {
	s := d.text("name", v)
	if utf8.RuneCountInString(s) > maxName || strings.ContainsFunc(s, unicode.IsControl) {
		d.faults.Add("name", "want at most %d characters, no control characters", maxName)
	}
	d.Subscription.Name = s
}

func readDescription(d *draft, v strictjson.Value) {
	s := d.text("description", v)
	if utf8.RuneCountInString(s) > maxDescription {
		d.faults.Add("description", "want at most %d characters", maxDescription)
	}
	d.Subscription.Description = s
}

func readMetadata(d *draft, v strictjson.Value) {
	if v.Kind() != strictjson.Object {
		d.faults.Add("metadata", "want an object")
		return
	}
	compact := v.Compact()
	if len(compact) > maxMetadata {
		d.faults.Add("metadata", "want at most %d bytes", maxMetadata)
	}
	if d.Subscription.Metadata = json.RawMessage(compact); len(compact) == len("{}") {
		d.Subscription.Metadata = nil // shown alike
	}
}

func viewMetadata(s webhook.Subscription) any {
	if s.Metadata == nil {
		return struct{}{}
	}
	return s.Metadata
}

// viewURL shows null for a subscription that only emits.
func viewURL(s webhook.Subscription) any {
	if s.URL == "" {
		return nil
	}
	return s.URL
}

func readURL(d *draft, v strictjson.Value) {
	s := d.text("url", v)
	if s == "" {
		d.Subscription.URL = ""
		return // refused as missing, or as no string
	}
	if wrong := d.judgeURL(s); wrong != "" {
		d.faults.Add("url", "%s", wrong)
	}
	d.Subscription.URL = s
}

func readPull(d *draft, v strictjson.Value) {
	if d.Subscription.Pull = string(v) == "true"; v.Kind() != strictjson.Bool {
		d.faults.Add("pull", "want true or false")
	}
}

func viewPull(s webhook.Subscription) any {
	if !s.Pull {
		return absent
	}
	return true
}

// checkPull checks a subscription that is pulled: nothing of it goes anywhere by
// itself.
func (d *draft) checkPull() {
	s := d.Subscription
	if d.now.Version != 0 && d.now.Pull != s.Pull {
		d.faults.Add("pull", "cannot change: create another subscription")
	}
	switch {
	case !s.Pull:
	case s.URL != "":
		d.faults.Add("url", "excludes pull: true, since whoever pulls gets the requests: leave one out")
	case s.Auth != nil || d.Auth != nil:
		d.faults.Add("auth", "excludes pull: true, since nobody is called")
	case s.Signature != nil && s.Signature.Form || d.Signature.NeedsForm():
		d.faults.Add("signature", "the preset twilio signs the url, and with pull: true there is none")
	}
}

// checkURL returns why no callback can be sent to s, or "".
func (d *draft) checkURL(s string) string {
	if len(s) > maxURL {
		return fmt.Sprintf("want at most %d characters", maxURL)
	}
	if wrong := render.WrongURL(s); wrong != "" {
		return wrong
	}
	u, err := url.Parse(s)
	if err != nil {
		return "want a URL"
	}
	if err := d.destinations.CheckURL(u); err != nil {
		return err.Error()
	}
	return ""
}

func readTypes(d *draft, v strictjson.Value) {
	if n := v.Len(maxTypes); v.Kind() != strictjson.Array || n == 0 || n > maxTypes {
		d.faults.Add("types", "want a list of 1 to %d types; leave it out for all", maxTypes)
		return
	}
	types := []string{}
	for i, element := range v.Elements() {
		path := fmt.Sprintf("types[%d]", i)
		s, ok := element.Text()
		if !ok {
			d.faults.Add(path, "want a string")
		} else if wrong := attribute.TypePattern(s); wrong != "" {
			d.faults.Add(path, "%s", wrong)
		}
		types = append(types, s)
	}
	d.Subscription.Types = types
}

// formats are what request.format can be; the first is the default.
var formats = []string{"standard", "cloudevents"}

// object reads an object with these members; null means that one is absent.
func (d *draft) object(path string, v strictjson.Value, members map[string]func(path string, v strictjson.Value)) {
	if v.Kind() != strictjson.Object {
		d.faults.Add(path, "want an object")
		return
	}
	for name, member := range v.Members() {
		read, ok := members[name]
		switch {
		case !ok:
			d.faults.Unknown(path, name, slices.Sorted(maps.Keys(members)))
		case member.Kind() != strictjson.Null:
			read(path+"."+name, member)
		}
	}
}

// oneOf reads a string that is one of a few.
func (d *draft) oneOf(path string, v strictjson.Value, few []string) string {
	s, _ := v.Text()
	for _, one := range few {
		if s == one {
			return s
		}
	}
	d.faults.Add(path, `want "%s"%s`, strings.Join(few, `" or "`), suggest.Hint(s, few))
	return ""
}

// readState takes disabled of a subscription that is, since it may be written as
// it was read; nobody but us disables one.
func readState(d *draft, v strictjson.Value) {
	if s, _ := v.Text(); d.now.State == webhook.Disabled && s == string(webhook.Disabled) {
		d.Subscription.State, d.Subscription.DisabledReason = d.now.State, d.now.DisabledReason
		return
	}
	if s := d.oneOf("state", v, []string{string(webhook.Active), string(webhook.Paused)}); s != "" {
		setState(&d.Subscription, webhook.State(s))
	}
}

func setState(s *webhook.Subscription, state webhook.State) { s.State, s.DisabledReason = state, "" }

func viewDisabledReason(s webhook.Subscription) any {
	if s.State != webhook.Disabled {
		return nil
	}
	return s.DisabledReason
}
