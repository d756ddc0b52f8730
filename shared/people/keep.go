package people

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// Limits of what is computed.
const (
	MaxSet       = 200  // values of a set
	MaxValue     = 1024 // bytes of JSON of one value
	maxMagnitude = 30   // decimal digits before or behind the point, of numbers that are added
)

// kept is what is stored of a computed attribute.
type kept struct {
	Generation string            `json:"g"`
	Value      json.RawMessage   `json:"v,omitempty"`
	Set        []json.RawMessage `json:"s,omitempty"`
	Event      *moment           `json:"e,omitempty"` // of the event whose value is kept
	Full       bool              `json:"f,omitempty"` // something was left out
}

// moment orders events: by their time, then as they were accepted.
type moment struct {
	Time     int64  `json:"t"` // Unix nanoseconds
	Accepted int64  `json:"a"` // Unix milliseconds
	Order    uint32 `json:"o,omitempty"`
	ID       string `json:"i,omitempty"` // the event's key, where nothing else tells
}

func momentOf(e webhook.Event) *moment {
	return &moment{e.Time.UnixNano(), e.AcceptedAt.UnixMilli(), e.Order, e.Key()}
}

func (m *moment) before(n *moment) bool {
	switch {
	case m.Time != n.Time:
		return m.Time < n.Time
	case m.Accepted != n.Accepted:
		return m.Accepted < n.Accepted
	case m.Order != n.Order:
		return m.Order < n.Order
	}
	return m.ID < n.ID
}

// keeping is one way to keep what events say.
type keeping struct {
	value bool // it needs a value
	apply func(k *kept, v pattern.Value, e webhook.Event)
}

// keepings are all of them, by their name in a rule.
var keepings = map[string]keeping{
	"last":       {true, func(k *kept, v pattern.Value, e webhook.Event) { k.choose(literal(v), e, k.isLater) }},
	"first":      {true, func(k *kept, v pattern.Value, e webhook.Event) { k.choose(literal(v), e, k.isEarlier) }},
	"last_time":  {false, func(k *kept, _ pattern.Value, e webhook.Event) { k.choose(timeOf(e), e, k.isLater) }},
	"first_time": {false, func(k *kept, _ pattern.Value, e webhook.Event) { k.choose(timeOf(e), e, k.isEarlier) }},
	"count":      {false, func(k *kept, _ pattern.Value, _ webhook.Event) { k.add(big.NewRat(1, 1)) }},
	"sum":        {true, func(k *kept, v pattern.Value, _ webhook.Event) { k.add(number(v)) }},
	"min":        {true, func(k *kept, v pattern.Value, _ webhook.Event) { k.extreme(v, -1) }},
	"max":        {true, func(k *kept, v pattern.Value, _ webhook.Event) { k.extreme(v, +1) }},
	"set":        {true, func(k *kept, v pattern.Value, _ webhook.Event) { k.insert(literal(v)) }},
}

func (k *kept) isLater(m *moment) bool   { return k.Event == nil || k.Event.before(m) }
func (k *kept) isEarlier(m *moment) bool { return k.Event == nil || m.before(k.Event) }

// choose keeps the value if the event is the one whose value counts.
func (k *kept) choose(value json.RawMessage, e webhook.Event, counts func(*moment) bool) {
	if m := momentOf(e); k.takes(value) && counts(m) {
		k.Value, k.Event = value, m
	}
}

// add adds to a number. What is no number, or too large to be added exactly,
// changes nothing.
func (k *kept) add(n *big.Rat) {
	if n == nil {
		return
	}
	if sum, ok := new(big.Rat).SetString(string(k.Value)); ok {
		n = sum.Add(sum, n)
	}
	k.Value = decimal(n)
}

// extreme keeps the least (-1) or the greatest (+1) number.
func (k *kept) extreme(v pattern.Value, sign int) {
	n := number(v)
	if n == nil {
		return
	}
	if known, ok := new(big.Rat).SetString(string(k.Value)); !ok || n.Cmp(known) == sign {
		k.Value = decimal(n)
	}
}

// insert adds a value to a set, which is kept in order, so that it does not matter
// which came first.
func (k *kept) insert(value json.RawMessage) {
	if !k.takes(value) {
		return
	}
	at, found := slices.BinarySearchFunc(k.Set, value, func(a, b json.RawMessage) int { return strings.Compare(string(a), string(b)) })
	switch {
	case found:
	case len(k.Set) >= MaxSet:
		k.Full = true
	default:
		k.Set = slices.Insert(k.Set, at, value)
	}
}

// takes reports whether a value is short enough to be kept, and notes if not.
func (k *kept) takes(value json.RawMessage) bool {
	k.Full = k.Full || len(value) > MaxValue
	return len(value) > 0 && len(value) <= MaxValue
}

// shown is the attribute as JSON; nil if it has no value.
func (k *kept) shown() json.RawMessage {
	if k.Set == nil {
		return k.Value
	}
	all := []byte{'['}
	for i, v := range k.Set {
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, v...)
	}
	return append(all, ']')
}

// literal is a value as JSON that is equal for equal values.
func literal(v pattern.Value) json.RawMessage {
	switch v.Kind {
	case pattern.String:
		quoted, err := jsontext.AppendQuote(nil, v.Text)
		if err != nil {
			return nil // no event has such a string
		}
		return quoted
	case pattern.Number:
		if n := number(v); n != nil {
			return decimal(n)
		}
	}
	compact := jsontext.Value(v.Raw).Clone()
	if compact.Compact() != nil {
		return nil
	}
	return json.RawMessage(compact)
}

func timeOf(e webhook.Event) json.RawMessage {
	return json.RawMessage(`"` + webhook.FormatTime(e.Time) + `"`)
}

// number returns a number exactly; nil if v is none, or one with too many digits.
func number(v pattern.Value) *big.Rat {
	if v.Kind != pattern.Number || len(v.Raw) > 2*maxMagnitude {
		return nil
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(v.Raw), "e"); ok && len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return nil
	}
	n, ok := new(big.Rat).SetString(v.Raw)
	if !ok || n.Sign() != 0 && (n.Num().BitLen() > 4*maxMagnitude || n.Denom().BitLen() > 4*maxMagnitude) {
		return nil
	}
	return n
}

// decimal writes a number that is a sum of decimals.
func decimal(n *big.Rat) json.RawMessage {
	digits, _ := n.FloatPrec()
	return json.RawMessage(n.FloatString(digits))
}
