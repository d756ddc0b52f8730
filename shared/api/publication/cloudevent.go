package publication

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/attribute"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// A CloudEvent 1.0 becomes an event like any other. Beside what both have,
// dataschema, datacontenttype and extension attributes are kept as they are, as if
// all were extensions. Its data must be JSON; a datacontenttype that says no more
// than that, application/json, is not kept: callbacks say it by themselves.
const specVersion = "1.0"

// maxExtensions bounds the attributes that are kept beside the envelope, in
// bytes of JSON together.
const maxExtensions = 16 << 10

// cloudEvent collects the attributes of one CloudEvent, whichever way they
// were sent.
type cloudEvent struct {
	*decoder
	event      webhook.Event
	faults     *httpapi.Faults
	prefix     string          // of fields in faults: "ce-" for headers
	seen       map[string]bool // required attributes
	extensions []byte          // members of a JSON object
}

// newCloudEvent returns a collector that notes faults with prefix.
func (d *decoder) newCloudEvent(prefix string, faults *httpapi.Faults) *cloudEvent {
	return &cloudEvent{decoder: d, event: webhook.Event{History: d.history}, faults: faults, prefix: prefix, seen: make(map[string]bool, 4)}
}

// required are the attributes that no CloudEvent lacks.
var required = []string{"specversion", "id", "source", "type"}

// structured reads a CloudEvent in JSON format. An attribute that is null
// counts as absent, as that format wants it; data that is null is null.
func (d *decoder) structured(v strictjson.Value, faults *httpapi.Faults) webhook.Event {
	c := d.newCloudEvent("", faults)
	for name, member := range v.Members() {
		switch {
		case name == "data":
			c.event.Data = json.RawMessage(member)
		case name == "data_base64":
			faults.Add(name, "only JSON data is supported, in data")
		case member.Kind() != strictjson.Null:
			c.attribute(name, member)
		}
	}
	return c.finish()
}

// attribute takes one context attribute.
func (c *cloudEvent) attribute(name string, v strictjson.Value) {
	e, field := &c.event, c.prefix+name
	switch name {
	case "specversion":
		text(field, v, supported, c.faults)
	case "id":
		e.ID = text(field, v, attribute.ID, c.faults)
	case "source":
		e.Source = text(field, v, attribute.Source, c.faults)
	case "type":
		e.Type = text(field, v, attribute.Type, c.faults)
	case "subject":
		e.Subject = text(field, v, attribute.Subject, c.faults)
	case "time":
		c.time(field, v, e, c.faults)
	case "datacontenttype":
		if text(field, v, jsonContent, c.faults) != plainJSON {
			c.keep(name, v)
		}
	case "dataschema":
		text(field, v, attribute.Schema, c.faults)
		c.keep(name, v)
	default:
		c.extension(name, v)
		return
	}
	c.seen[name] = true
}

func supported(version string) string {
	if version != specVersion {
		return `want "1.0"`
	}
	return ""
}

// plainJSON is the type of data of which nothing is said.
const plainJSON = "application/json"

// maxContentType is the most characters of a datacontenttype.
const maxContentType = 255

func jsonContent(media string) string {
	switch {
	case !isJSON(media):
		return "only JSON data is supported"
	case len(media) > maxContentType || strings.ContainsFunc(media, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Sprintf("want a media type of at most %d ASCII characters", maxContentType)
	}
	return ""
}

// isJSON reports whether a content type names JSON, as CloudEvents defines it.
func isJSON(media string) bool {
	media, _, _ = strings.Cut(media, ";")
	_, subtype, _ := strings.Cut(strings.ToLower(strings.TrimSpace(media)), "/")
	return subtype == "json" || strings.HasSuffix(subtype, "+json")
}

// maxName is how many bytes of an extension's name are shown.
const maxName = 100

var extensionName = regexp.MustCompile(`^[a-z0-9]{1,64}$`)

// extension takes an attribute that CloudEvents does not know: a string, a
// whole number of 32 bits or a truth value.
func (c *cloudEvent) extension(name string, v strictjson.Value) {
	field := c.prefix + strictjson.Clip(name, maxName)
	if !extensionName.MatchString(name) {
		c.faults.Add(field, "unknown field: an extension's name is 1 to 64 of a-z and 0-9")
		return
	}
	switch v.Kind() {
	case strictjson.String:
		s, _ := v.Text()
		if strings.ContainsFunc(s, unicode.IsControl) {
			c.faults.Add(field, "want no control characters")
		}
	case strictjson.Number:
		if n, ok := v.Int(); !ok || n < math.MinInt32 || n > math.MaxInt32 {
			c.faults.Add(field, "want a whole number of 32 bits")
		}
	case strictjson.Bool:
	default:
		c.faults.Add(field, "want a string, a number, true or false")
	}
	c.keep(name, v)
}

// keep adds an attribute to the extensions.
func (c *cloudEvent) keep(name string, v strictjson.Value) {
	if len(c.extensions)+len(name)+len(v) > maxExtensions {
		c.faults.Add(c.prefix+name, "the extensions have more than %d bytes in total", maxExtensions)
		return
	}
	c.extensions = append(c.extensions, ',', '"')
	c.extensions = append(append(c.extensions, name...), '"', ':')
	c.extensions = append(c.extensions, v...)
}

// finish checks that nothing is missing.
func (c *cloudEvent) finish() webhook.Event {
	for _, name := range required {
		if !c.seen[name] {
			c.faults.Add(c.prefix+name, "required")
		}
	}
	if len(c.extensions) > 0 {
		c.extensions[0] = '{'
		c.event.Extensions = append(c.extensions, '}')
	}
	return c.event
}

// quoted is s as a JSON string.
func quoted(s string) (strictjson.Value, error) {
	b, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return nil, fmt.Errorf("quote: %w", err)
	}
	return strictjson.Value(b), nil
}
