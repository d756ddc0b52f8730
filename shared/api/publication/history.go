package publication

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/language/suggest"
	"github.com/postino/postino/shared/webhook"
)

// ModeHeader says that all events of a request are of the past: "history", or
// "history=" and what they feed.
const ModeHeader = "Postino-Mode"

// mode reads the header. Without it, events are of today.
func mode(header http.Header) (webhook.History, error) {
	values := header[ModeHeader]
	if len(values) == 0 {
		return 0, nil
	}
	name, parts, some := strings.Cut(values[0], "=")
	fault := func(detail string) error {
		return httpapi.Invalid(httpapi.FieldError{Field: "postino-mode", Detail: detail})
	}
	if len(values) > 1 || strings.TrimSpace(name) != "history" {
		return 0, fault(`want "history", or "history=" and a list of attributes, counts, claims`)
	}
	if !some {
		return webhook.HistoryAll, nil
	}
	var all webhook.History
	for part := range strings.SplitSeq(parts, ",") {
		one := webhook.HistoryOf(strings.TrimSpace(part))
		if one == 0 {
			return 0, fault(unknownPart(strings.TrimSpace(part)))
		}
		all |= one
	}
	return all, nil
}

// historyOf reads the member of an event: true, false, or a list of what it feeds.
func historyOf(field string, v strictjson.Value, faults *httpapi.Faults) (all webhook.History) {
	switch {
	case v.Kind() == strictjson.Bool:
		if string(v) == "true" {
			return webhook.HistoryAll
		}
		return 0
	case v.Kind() != strictjson.Array || v.Len(len(webhook.HistoryParts)) == 0:
		faults.Add(field, "want true, false, or a list of attributes, counts, claims")
		return 0
	}
	for i, element := range v.Elements() {
		text, _ := element.Text()
		one := webhook.HistoryOf(text)
		if one == 0 {
			faults.Add(field+"["+strconv.Itoa(i)+"]", "%s", unknownPart(text))
			return 0
		}
		all |= one
	}
	return all
}

const longestPart = 40 // bytes of what is quoted

func unknownPart(text string) string {
	return fmt.Sprintf("want attributes, counts or claims, got %q%s", strictjson.Clip(text, longestPart), suggest.Hint(text, webhook.HistoryParts))
}
