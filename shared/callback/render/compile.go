package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"

	"github.com/postino/postino/shared/language/liquid"
	"github.com/postino/postino/shared/webhook"
)

// Fault is one thing wrong with a request as its owner wrote it.
type Fault struct {
	Field  string // "url", "request.headers.x-plan", "request.body.user[0]"
	Detail string // with line and column if a template is at fault
}

// Request is a subscription's request, compiled. It never changes: any number
// of renders may use it at once.
type Request struct {
	method      string
	contentType string
	kind        kind   // of contentType
	format      string // of the body, if body is nil
	url         *liquid.Template
	headers     []header
	body        body
	require     []path
	emission    *emission // nil for none
	profile     bool      // a template reads the profile
	attempt     bool      // url or headers read the attempt
	weight      int       // bytes
}

type header struct {
	name  string // in lower case
	value *liquid.Template
}

// body renders a body that its owner wrote.
type body interface {
	render(s *scope) (webhook.Text, error)
	secrets() []string
}

// methods that a request may have: those that carry a body.
var methods = []string{"POST", "PUT", "PATCH", "DELETE"}

// Compile compiles the request of s. All faults are reported, in the order of
// the fields.
func Compile(s webhook.Subscription) (*Request, []Fault) {
	c, spec := &compiler{}, cmp.Or(s.Request, &webhook.RequestSpec{})
	if size := sizeOf(spec); size > MaxSize {
		c.fault("request", "has %d bytes, want at most %d: let the body be shorter", size, MaxSize)
		return &Request{}, c.faults
	}
	r := &Request{method: "POST", contentType: JSON, url: c.url(s.URL), emission: c.emit(s)}
	if r.method = cmp.Or(spec.Method, "POST"); !slices.Contains(methods, r.method) {
		c.fault("request.method", "want one of %s", strings.Join(methods, ", "))
	}
	r.headers = c.headers(spec.Headers)
	r.format = cmp.Or(spec.Format, "standard")
	switch {
	case spec.Body == nil:
		c.builtin(r, spec)
	default:
		c.custom(r, spec)
	}
	for i, text := range spec.Require {
		p, err := parsePath(text)
		if err != nil {
			c.fault(fmt.Sprintf("request.require[%d]", i), "%v", err)
		}
		r.require = append(r.require, p)
		c.profile = c.profile || len(p) > 0 && p.asksProfile()
	}
	r.profile, r.attempt = c.profile, c.attempt
	r.weight = requestWeight + c.weight + len(spec.Require)*requireWeight
	return r, c.faults
}

// Mentions returns the names of the secrets that the request mentions, by the
// field that does.
func (r *Request) Mentions() map[string][]string {
	mentions := map[string][]string{"url": r.url.Secrets()}
	for _, h := range r.headers {
		mentions["request.headers."+h.name] = h.value.Secrets()
	}
	if r.body != nil {
		mentions["request.body"] = r.body.secrets()
	}
	return mentions
}

// ReadsProfile reports whether a template reads the profile of the event's subject.
func (r *Request) ReadsProfile() bool { return r.profile }

// ReadsAttempt reports whether url or headers differ from attempt to attempt.
func (r *Request) ReadsAttempt() bool { return r.attempt }

// MayReadAttempt reports whether the url or the headers of s may differ from attempt
// to attempt. It compiles nothing; if it is true, [Request.ReadsAttempt] knows.
func MayReadAttempt(s webhook.Subscription) bool {
	may := func(text string) bool {
		return strings.Contains(text, attemptRoot) || strings.Contains(text, sentAt)
	}
	if may(s.URL) {
		return true
	}
	if s.Request != nil {
		for _, value := range s.Request.Headers {
			if may(value) {
				return true
			}
		}
	}
	return false
}

// TemplatedURL reports whether the url differs from event to event.
func (r *Request) TemplatedURL() bool { return !r.url.Constant() }

type compiler struct {
	faults    []Fault
	templates int
	weight    int // bytes of what was compiled so far
	nodes     int // of the body
	full      bool
	profile   bool // a template reads the profile
	attempt   bool // a template reads the attempt
	fixed     bool // what is compiled stays the same in all attempts
	emitting  bool // what is compiled becomes part of an event
	responds  bool // and a response is there by then
}

func (c *compiler) fault(field, format string, args ...any) {
	c.faults = append(c.faults, Fault{field, fmt.Sprintf(format, args...)})
}

// parse compiles one template and judges its variables; nil if it is at fault.
func (c *compiler) parse(field, source string) *liquid.Template {
	if c.full {
		return nil
	}
	t, err := liquid.Parse(source, liquid.Options{Secrets: !c.emitting, Judge: c.judge})
	if err != nil {
		c.fault(field, "%v%s", err, foreign(source))
		return nil
	}
	return c.weigh(t)
}

// judge says why a variable leads nowhere, and notes who reads the profile.
func (c *compiler) judge(path []string) string {
	c.profile = c.profile || path[0] == profileRoot
	if path[0] == attemptRoot || path[0] == sentAt {
		if c.fixed || c.emitting {
			return fmt.Sprintf("%q differs from attempt to attempt, and what stands here does not: use it in url and headers, or use now", path[0])
		}
		c.attempt = true
	}
	switch {
	case path[0] != responseRoot:
	case !c.emitting:
		return `"response" is there only in emit, with "on": "success"`
	case !c.responds:
		return `"response" is there only with "on": "success"`
	}
	return wrongMember(path)
}

// builtin prepares a body that needs no template.
func (c *compiler) builtin(r *Request, spec *webhook.RequestSpec) {
	if spec.ContentType != "" {
		c.fault("request.content_type", "needs body")
	}
	switch r.format {
	case "standard":
	case "cloudevents":
		r.contentType = CloudEvent
	default:
		c.fault("request.format", `want "standard" or "cloudevents"`)
	}
}

// custom prepares the owner's own body.
func (c *compiler) custom(r *Request, spec *webhook.RequestSpec) {
	if spec.Format != "" {
		c.fault("request.format", "cannot be used with body")
	}
	r.contentType = cmp.Or(spec.ContentType, JSON)
	kind, err := kindOf(r.contentType)
	if err != nil {
		c.fault("request.content_type", "%v", err)
		return
	}
	r.kind, c.fixed = kind, true
	var text string
	if json.Unmarshal(spec.Body, &text) == nil {
		r.body = c.text(kind, text)
		return
	}
	tree, err := liquid.Decode(spec.Body)
	switch {
	case err != nil:
		c.fault("request.body", "%v", err)
	case kind == form:
		r.body = c.form(tree)
	case kind == jsonText:
		r.body = c.tree("request.body", tree)
	default:
		c.fault("request.body", "want a string of text for %s", r.contentType)
	}
}

// kind is what a content type means for the places in a body.
type kind int

const (
	plainText kind = iota
	jsonText
	jsonLines // a JSON value on each line
	form
	xmlText
)

// kinds are those of subtypes, and of what may stand behind the + of one.
var kinds = map[string]kind{
	"json": jsonText, "x-json": jsonText, "xml": xmlText, "x-xml": xmlText, "x-www-form-urlencoded": form,
	"x-ndjson": jsonLines, "ndjson": jsonLines, "jsonl": jsonLines, "x-jsonlines": jsonLines, "jsonlines": jsonLines,
}

// maxContentType is the most characters of a content type.
const maxContentType = 255

// kindOf reads a content type. Its charset, if any, must be the one in which
// bodies are sent.
func kindOf(contentType string) (kind, error) {
	media, parameters, err := mime.ParseMediaType(contentType)
	main, sub, whole := strings.Cut(media, "/")
	if err != nil || !whole || main == "" || sub == "" || len(contentType) > maxContentType || strings.ContainsAny(contentType, "{}") || !cleanHeader(contentType) {
		return plainText, fmt.Errorf("want a media type of at most %d ASCII characters, such as application/json", maxContentType)
	}
	if charset, given := parameters["charset"]; given && !strings.EqualFold(charset, "utf-8") {
		return plainText, fmt.Errorf("want charset=utf-8, or none: bodies are sent in UTF-8, not in %s", charset)
	}
	return kinds[sub[strings.LastIndexByte(sub, '+')+1:]], nil
}
