package record

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// Show returns what an item holds, for people to read as JSON: of records as the
// stages see them, of nouns their fields. It leaves out secrets, sealed ones too,
// and hashes of keys: bytes of a noun are shown as their number.
func Show(it table.Item) (any, error) {
	tenant, rest, _ := strings.Cut(it.Sort, separator)
	switch it.Partition {
	case eventKind:
		return showOfEvent(tenant, rest, it)
	case deliveryKind:
		return readDelivery(tenant, rest, it)
	case headKind:
		return readHead(tenant, rest, it)
	case versionKind:
		sub, err := readVersion(tenant, it)
		if sub.Auth != nil {
			shown := *sub.Auth
			shown.Sealed = nil
			sub.Auth = &shown
		}
		if sub.Signature != nil {
			shown := *sub.Signature
			shown.Sealed = nil
			sub.Signature = &shown
		}
		return sub, err
	case partKind:
		if strings.HasSuffix(rest, separator+"R") {
			return readContent(it)
		}
		return readAttempt(it)
	}
	return showFields(it), nil
}

type shownEvent struct {
	webhook.Event
	Data     json.RawMessage `json:"data,omitempty"` // unless it stands apart
	Plan     webhook.Plan    `json:"plan"`
	Expunged bool            `json:"expunged,omitempty"`
}

// showOfEvent shows an event, or what hangs on it.
func showOfEvent(tenant, rest string, it table.Item) (any, error) {
	_, part, hangs := strings.Cut(rest, separator)
	kind, _, _ := strings.Cut(part, separator)
	f := &fields{rest: string(it.Fields.Text(whole))}
	switch {
	case !hangs:
		e, _, err := readEvent(tenant, it)
		return shownEvent{e.Event, e.Data, e.Plan, e.Expunged}, err
	case kind == "P":
		entries := f.entries()
		return webhook.Plan{Entries: entries}, f.err()
	case kind == "R":
		f.number()
		plan := f.plan()
		return plan, f.err()
	}
	return showFields(it), nil
}

func showFields(it table.Item) map[string]any {
	shown := map[string]any{}
	for name, v := range it.Fields {
		switch v := v.(type) {
		case table.Text:
			shown[name] = string(v)
			if json.Valid(v) && utf8.Valid(v) {
				shown[name] = json.RawMessage(v)
			}
		case []byte:
			shown[name] = map[string]int{"bytes": len(v)}
		default:
			shown[name] = v
		}
	}
	return shown
}
