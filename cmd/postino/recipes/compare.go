package recipes

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/postino/postino/shared/callback/retry"
)

// ours are the headers that each request has.
var ours = regexp.MustCompile(`^(webhook-.*|postino-.*|idempotency-key|user-agent|content-type|content-length|accept-encoding)$`)

// compare tells of requests that arrived and were not expected, and of those
// expected that did not arrive.
func compare(want []Request, got []arrival, start time.Time) error {
	rest := slices.Clone(got)
	var errs []error
	for _, w := range want {
		i := slices.IndexFunc(rest, func(a arrival) bool { return a.text(w.Headers) == w.text(a, start) })
		if i < 0 {
			errs = append(errs, fmt.Errorf("missing:\n%s", w.text(arrival{}, start)))
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	for _, a := range rest {
		errs = append(errs, fmt.Errorf("unexpected:\n%s", a.text(nil)))
	}
	return errors.Join(errs...)
}

// text is all of an arrival that is compared: of the headers that each request
// has only those named.
func (a arrival) text(named map[string]string) string {
	headers := map[string]string{}
	for name := range a.header {
		lower := strings.ToLower(name)
		if _, wanted := named[lower]; wanted || !ours.MatchString(lower) {
			headers[lower] = readable(a.header.Get(name))
		}
	}
	return text(a.subscription, a.method, a.url, headers, a.body)
}

// text is the same of an expected request, as far as it depends on what
// arrived.
func (r Request) text(a arrival, start time.Time) string {
	headers := map[string]string{}
	for name, value := range r.Headers {
		headers[name] = a.fill(fill(value, start))
	}
	method := r.Method
	if method == "" {
		method = "POST"
	}
	return text(r.Subscription, method, a.fill(fill(r.URL, start)), headers, a.fill(fill(literal(r.Body), start)))
}

func text(subscription, method, url string, headers map[string]string, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s\n", subscription, method, url)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintf(&b, "%s: %s\n", name, headers[name])
	}
	return b.String() + body + "\n"
}

// literal is the body that a recipe means.
func literal(body json.RawMessage) string {
	var raw string
	if json.Unmarshal(body, &raw) == nil {
		return raw
	}
	return string(Compact(body))
}

// Compact writes JSON without spaces; what is not JSON stays as it is.
func Compact(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}

// readable decodes Basic credentials.
func readable(value string) string {
	encoded, basic := strings.CutPrefix(value, "Basic ")
	if text, err := base64.StdEncoding.DecodeString(encoded); basic && err == nil {
		return "Basic " + string(text)
	}
	return value
}

// deliveries is the namespace of delivery.uuid.
var deliveries = uuid.MustParse("6f1c8f7e-3d43-5a0b-9d0e-6a1f0c7d9b52")

// fill writes what is known only from the request itself.
func (a arrival) fill(text string) string {
	id := a.header.Get("webhook-id")
	if id == "" {
		return text
	}
	return strings.NewReplacer("$delivery", id, "$uuid", uuid.NewSHA1(deliveries, []byte(id)).String()).Replace(text)
}

var moment = regexp.MustCompile(`\$start([+-][0-9]+(ms|s|m|h|d))?`)

// fill writes the times into a text.
func fill(text string, start time.Time) string {
	return moment.ReplaceAllStringFunc(text, func(found string) string {
		at := start
		if by := strings.TrimPrefix(found, "$start"); by != "" {
			d, err := retry.ParseDuration(by[1:])
			if err != nil {
				return found
			}
			if by[0] == '-' {
				d = -d
			}
			at = at.Add(d)
		}
		return at.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	})
}
