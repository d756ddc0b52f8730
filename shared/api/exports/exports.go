// Package exports reads the webhook endpoints that other senders export, as
// subscriptions of the API.
package exports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Row is one endpoint of an export.
type Row struct {
	Source       string         // its id there; "" if it has none
	ID           string         // that it gets here: the same at each import
	Subscription map[string]any // as the API takes it
	Wrong        string         // why it is none; "" if nothing is wrong so far
	Lost         []string       // what is not taken over
}

// formats are the readers, by name.
var formats = map[string]func(export json.RawMessage) ([]Row, error){
	"convoy": readConvoy, "csv": readCSV, "outpost": readOutpost, "svix": readSvix,
}

// Formats are the names of what [Read] takes.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Read reads an export: JSON as the sender's API lists endpoints, or a text with
// CSV. The error says, for whoever sent it, why it is none.
func Read(format string, export json.RawMessage) ([]Row, error) {
	return formats[format](export)
}

var (
	notInIDs = regexp.MustCompile(`[^a-z0-9_-]+`)
	isID     = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
)

// id makes an id of a foreign one. What our ids cannot say is told apart by a hash.
func id(format, foreign string) string {
	if isID.MatchString(foreign) {
		return foreign
	}
	sum := sha256.Sum256([]byte(format + "\n" + foreign))
	readable := strings.Trim(notInIDs.ReplaceAllString(strings.ToLower(foreign), "-"), "-")
	return strings.TrimLeft(readable[:min(len(readable), 40)]+"-"+hex.EncodeToString(sum[:6]), "-")
}

// row begins a row. One without an id is named by its url and place.
func row(format, foreign, url string, place int) Row {
	r := Row{Source: foreign, Subscription: map[string]any{"url": url}}
	if foreign == "" {
		foreign = fmt.Sprintf("%s %d", url, place)
	}
	r.ID = id(format, foreign)
	if url == "" {
		r.Wrong = "it has no url"
	}
	return r
}

// set sets a field that is not empty.
func (r Row) set(field string, value any, empty bool) {
	if !empty {
		r.Subscription[field] = value
	}
}

// types sets the types, where every word for all of them means that there are none.
func (r Row) types(list []string) {
	all := len(list) == 0 || slices.Contains(list, "*")
	r.set("types", list, all)
}

// secret brings the signing secret along. One that is none of Standard Webhooks is
// a raw one.
func (r Row) secret(text string) {
	switch {
	case text == "":
	case strings.HasPrefix(text, "whsec_"), strings.HasPrefix(text, "whsk_"):
		r.Subscription["secret"] = text
	default:
		r.Subscription["secret"] = map[string]string{"raw": text}
	}
}

// signs lets receivers go on verifying as they do: as the sender signs.
func (r Row) signs(signature map[string]any, secret string) {
	if secret != "" {
		signature["secret"] = secret
		r.Subscription["signature"] = []any{signature}
	}
}

// headers sets those that the sender adds.
func (r Row) headers(all map[string]string) {
	r.set("request", map[string]any{"headers": all}, len(all) == 0)
}

// listIn reads a list that may stand in members of objects, one in the other.
func listIn[T any](export json.RawMessage, members ...string) ([]T, error) {
	for _, member := range append(members, "") {
		var list []T
		if err := json.Unmarshal(export, &list); err == nil {
			return list, nil
		} else if strings.HasPrefix(strings.TrimSpace(string(export)), "[") {
			return nil, fmt.Errorf("one of the list has a value of another type than its export has")
		}
		var object map[string]json.RawMessage
		if member == "" || json.Unmarshal(export, &object) != nil || object[member] == nil {
			break
		}
		export = object[member]
	}
	return nil, fmt.Errorf("want a list, as the sender's API returns it")
}
