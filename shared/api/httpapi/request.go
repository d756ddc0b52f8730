package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// Request is an admitted request.
type Request struct {
	*http.Request
	Principal Principal  // who asks; zero on a route for [Anyone]
	Tenant    string     // from the path; "" on a route outside tenants
	Query     url.Values // only names that the route knows, each once

	w       http.ResponseWriter
	notes   []slog.Attr
	warned  []FieldError
	intake  *Intake // nil has room for all
	held    int     // bytes that were reserved there
	entered bool    // has a place there
}

// Note adds to the line that is logged for this request. No secrets, no bodies.
func (r *Request) Note(attributes ...slog.Attr) { r.notes = append(r.notes, attributes...) }

func (r *Request) attributes(route Route, status int, began time.Time, more ...slog.Attr) []slog.Attr {
	attributes := make([]slog.Attr, 0, 12)
	attributes = append(attributes, slog.String("route", route.Method+" "+route.Pattern), slog.Int("status", status),
		slog.Duration("took", time.Since(began)))
	if r.Tenant != "" {
		attributes = append(attributes, slog.String("tenant", r.Tenant))
	}
	return append(append(attributes, r.notes...), more...)
}

// parseQuery reads the query and refuses what the route does not know.
func (r *Request) parseQuery(known []string) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return InvalidQuery.Problem("The query string is malformed. Percent-encode its values.")
	}
	var faults Faults
	for name, values := range query {
		switch {
		case !slices.Contains(known, name):
			faults.Add(strictjson.Clip(name, maxName), "unknown query parameter%s", hint(name, known))
		case len(values) > 1:
			faults.Add(name, "given more than once")
		}
	}
	r.Query = query
	return faults.Err()
}

// hint says which parameter was meant, or which there are.
func hint(name string, known []string) string {
	if near := suggest.Hint(name, known); near != "" {
		return near
	}
	if len(known) == 0 {
		return "; there are none here"
	}
	return "; there are " + strings.Join(known, ", ")
}

// MediaType returns the request's content type in lower case, without
// parameters; "" if there is none. Text in another charset than UTF-8, and a
// compressed body, are 415.
func (r *Request) MediaType() (string, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "", UnsupportedEncoding.Problem("Send the body without Content-Encoding.")
	}
	content := r.Header.Get("Content-Type")
	if content == "" || content == "application/json" {
		return content, nil
	}
	media, parameters, err := mime.ParseMediaType(content)
	if err != nil {
		return "", UnsupportedMediaType.Problem("Content-Type is malformed. Send application/json.")
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return "", UnsupportedEncoding.Problem("The charset is not UTF-8. Send the body in UTF-8.")
	}
	return media, nil
}

func tooLong() error {
	return RequestTooLarge.Problem(fmt.Sprintf("The request is larger than %d bytes.", webhook.MaxRequestSize))
}

// JSON reads the body of a request that must be application/json (else 415)
// and JSON as package strictjson takes it (else 400).
func (r *Request) JSON() (strictjson.Value, error) {
	media, err := r.MediaType()
	if err != nil {
		return nil, err
	}
	if media != "application/json" {
		return nil, UnsupportedMediaType.Problem("Send Content-Type: application/json.")
	}
	body, err := r.Read()
	if err != nil {
		return nil, err
	}
	return ParseJSON(body)
}

// OptionalJSON is [Request.JSON], except that no body stands for {}.
func (r *Request) OptionalJSON() (strictjson.Value, error) {
	body, err := r.Read()
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return strictjson.Value("{}"), nil
	}
	media, err := r.MediaType()
	if err != nil {
		return nil, err
	}
	if media != "application/json" {
		return nil, UnsupportedMediaType.Problem("Send Content-Type: application/json.")
	}
	return ParseJSON(body)
}

// Empty refuses (422) a body that says anything: there is nothing to say here.
func (r *Request) Empty() error {
	body, err := r.Read()
	if err != nil || len(body) == 0 {
		return err
	}
	v, err := ParseJSON(body)
	if err != nil {
		return err
	}
	var faults Faults
	for name := range v.Members() {
		faults.Unknown("", name, nil)
	}
	if v.Kind() != strictjson.Object {
		faults.Add("body", "want no body, or {}")
	}
	return faults.Err()
}

// ParseJSON is [strictjson.Parse] with its refusal as a 400.
func ParseJSON(body []byte) (strictjson.Value, error) {
	v, err := strictjson.Parse(body)
	var refused *strictjson.Error
	if errors.As(err, &refused) {
		if refused.Path == "" {
			return nil, InvalidJSON.Problem("The body " + refused.Detail + ".")
		}
		return nil, InvalidJSON.Problem("The body is not valid JSON.", FieldError{refused.Path, refused.Detail})
	}
	return v, err
}
