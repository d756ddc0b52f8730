package recipes

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Shown is a verified request as it may be shown: stars for its secrets.
type Shown struct {
	Subscription string
	Method       string
	URL          string
	Attempt      string
	Headers      []string // "name: value" of those that make this request special, by name
	Body         string
}

// special are the headers that are shown even though each request has them.
var special = regexp.MustCompile(`^(content-type|idempotency-key)$`)

func (p *play) shown(a arrival) Shown {
	var headers []string
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		lower := strings.ToLower(name)
		if special.MatchString(lower) || !ours.MatchString(lower) {
			headers = append(headers, lower+": "+p.redact(readable(a.header.Get(name))))
		}
	}
	return Shown{
		Subscription: a.subscription, Method: a.method, URL: p.redact(a.url), Attempt: a.header.Get("postino-attempt"),
		Headers: headers, Body: p.redact(a.body),
	}
}

// redact writes stars in the place of each secret.
func (p *play) redact(text string) string {
	for _, value := range p.recipe.Secrets {
		text = strings.ReplaceAll(text, value, "***")
	}
	return text
}
