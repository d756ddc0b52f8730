package pattern

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A generator makes random patterns and events that often nearly match: few names, few values, written in many ways.
type generator struct {
	*rand.Rand
}

func newGenerator(seed uint64) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 1))}
}

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

var (
	names = []string{"a", "b", "c", "a-b", "é", "𝒳", "a.b"}
	texts = []string{"", "a", "ab", "abc", "ABC", "aBc", "abcabc", "b", "bc", "x y", `a"b`, `"`, `a"`, `a\b`, "a*b", "*",
		"straße", "STRASSE", "é", "É", "e\u0301", "ŉa", "ʼNA", "ΰ", "İ", "i\u0307", "ı", "ǅ", "ǆ", "Σ", "ς", "大雨", "雨",
		"😀", "a😀b", "\uFFFD", "\uE000", "\t\n", "\x00", "true", "null", "1", "10", "10.0.0.1", "10.0.0.15", "010.0.0.1",
		"192.168.1.200", "10.0.0.256", "10.0.0", "::1", "0:0::1", "2001:db8::1", "2001:0DB8:0::0001", "::ffff:a00:1",
		"a00:1::", "1:2", ":", "::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "12:30", "1::2::3", "fe80::1%eth0"}
	numbers = []string{"0", "-0", "0.0", "-0.0e5", "1", "1.0", "10e-1", "0.1e1", "100", "1e2", "1E+2", "100.00", "1000e-1",
		"-1", "-1.0", "2", "2.5", "25e-1", "3", "5", "10", "12", "25", "301.8", "3.018e2", "0.1", "1e-1", "0.3",
		"0.30000000000000004", "9007199254740992", "9007199254740993", "123456789012345678", "1e22", "1e308",
		"1.7976931348623157e308", "1e309", "-1e309", "1e-400", "5e-324", "4.9e-324", "2.2250738585072014e-308",
		"10000005", "0e99999999999", "0e400", "123456789012345678901234567890"}
	masks = []string{"10.0.0.0/8", "10.0.0.0/24", "10.0.0.7/28", "10.0.0.0/31", "0.0.0.0/0", "192.168.0.0/16", "2001:db8::/32",
		"2000::/3", "::/0", "::/1", "::ffff:a00:0/8", "fe80::/10", "16.0.0.0/6", "128.0.0.0/1", "2001:db8::/127"}
)

func (g *generator) quote(s string) string {
	if g.chance(20) {
		var b strings.Builder
		b.WriteByte('"')
		for _, r := range s {
			if r > 0xFFFF {
				r -= 0x10000
				fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
			} else {
				fmt.Fprintf(&b, `\u%04X`, r)
			}
		}
		return b.String() + `"`
	}
	quoted, _ := json.Marshal(s)
	return string(quoted)
}

// text returns a string, mostly one of texts, sometimes a piece of one or two joined.
func (g *generator) text() string {
	s := pick(g, texts)
	switch g.IntN(10) {
	case 0:
		s += pick(g, texts)
	case 1:
		runes := []rune(s)
		s = string(runes[:g.IntN(len(runes)+1)])
	case 2:
		runes := []rune(s)
		s = string(runes[g.IntN(len(runes)+1):])
	case 3:
		s = strings.ToUpper(s)
	}
	return s
}

func (g *generator) number() string {
	switch g.IntN(8) {
	case 0:
		return strconv.Itoa(g.IntN(200) - 100)
	case 1:
		return strconv.FormatFloat(float64(g.IntN(1_000_000))/1000, 'e', -1, 64)
	case 2:
		return strconv.FormatFloat(float64(g.IntN(1_000_000))/1000, 'f', 5, 64)
	}
	return pick(g, numbers)
}

func (g *generator) wildcard() string {
	s := strings.NewReplacer(`\`, `\\`, `*`, `\*`).Replace(g.text())
	runes := []rune(s)
	for range g.IntN(4) {
		at := g.IntN(len(runes) + 1)
		if g.chance(50) && at < len(runes) {
			runes[at] = '*'
		} else {
			runes = append(runes[:at:at], append([]rune{'*'}, runes[at:]...)...)
		}
	}
	return string(runes)
}

// literal returns a value that is neither object nor array.
func (g *generator) literal() string {
	switch n := g.IntN(20); {
	case n < 10:
		return g.quote(g.text())
	case n < 16:
		return g.number()
	}
	return pick(g, []string{"true", "false", "null"})
}

func (g *generator) list(n int, one func() string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = one()
	}
	return "[" + strings.Join(all, ",") + "]"
}

// event returns a random value for the data of an event.
func (g *generator) event(depth int) string {
	switch n := g.IntN(10); {
	case depth <= 0 || n < 3:
		return g.literal()
	case n < 6:
		return g.list(g.IntN(4), func() string { return g.event(depth - 1) })
	}
	return g.object(func(string) string { return g.event(depth - 1) })
}

func (g *generator) object(value func(name string) string) string {
	var members []string
	for _, i := range g.Perm(len(names))[:g.IntN(len(names))] {
		members = append(members, g.quote(names[i])+":"+value(names[i]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g *generator) envelope() Envelope {
	env := Envelope{ID: g.text(), Source: g.text(), Type: pick(g, []string{"a", "a.b", "b", "postino.a"}), Time: "2026-01-02T03:04:05Z"}
	if g.chance(70) {
		env.Subject, env.HasSubject = g.text(), true
	}
	if g.chance(95) {
		env.Data = json.RawMessage(g.object(func(string) string { return g.event(3) }))
	}
	if g.chance(20) {
		env.Extensions = json.RawMessage(g.object(func(string) string { return g.literal() }))
	}
	return env
}

// JSON is the event that event-ruler sees.
func (env Envelope) json() string {
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	s := `{"id":` + quote(env.ID) + `,"source":` + quote(env.Source) + `,"type":` + quote(env.Type) + `,"time":` + quote(env.Time)
	if env.HasSubject {
		s += `,"subject":` + quote(env.Subject)
	}
	if env.Data != nil {
		s += `,"data":` + string(env.Data)
	}
	if env.Extensions != nil {
		s += `,"extensions":` + string(env.Extensions)
	}
	return s + "}"
}

// until draws again, mostly, what a pattern would be refused for.
func until[T any](g *generator, one func() T, fine func(T) bool) T {
	v := one()
	for !fine(v) && !g.chance(1) {
		v = one()
	}
	return v
}

// operand returns a value or an operator for a pattern.
func (g *generator) operand() string {
	text := func() string { return g.quote(g.text()) }
	fold := func() string {
		return g.quote(until(g, g.text, func(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 0xFFFF }) }))
	}
	filled := func() string { return g.quote(until(g, g.text, func(s string) bool { return s != "" })) }
	number := func() string {
		return until(g, g.number, func(s string) bool { _, ok := comparable64(s); return ok })
	}
	wildcard := func() string {
		return g.quote(until(g, g.wildcard, func(s string) bool { return wildcardFault(s) == "" }))
	}
	oneOrMore := func(one func() string) string {
		if g.chance(50) {
			return one()
		}
		return g.list(1+g.IntN(3), one)
	}
	switch g.IntN(24) {
	case 0:
		return `{"prefix":` + text() + `}`
	case 1:
		return `{"suffix":` + text() + `}`
	case 2:
		return `{"prefix":{"equals-ignore-case":` + fold() + `}}`
	case 3:
		return `{"suffix":{"equals-ignore-case":` + fold() + `}}`
	case 4:
		return `{"equals-ignore-case":` + fold() + `}`
	case 5, 6:
		return `{"wildcard":` + wildcard() + `}`
	case 7:
		return `{"anything-but":` + oneOrMore(text) + `}`
	case 8:
		return `{"anything-but":` + oneOrMore(number) + `}`
	case 9:
		return `{"anything-but":{` + pick(g, []string{`"prefix"`, `"suffix"`}) + `:` + oneOrMore(filled) + `}}`
	case 10:
		return `{"anything-but":{"wildcard":` + oneOrMore(wildcard) + `}}`
	case 11:
		return `{"anything-but":{"equals-ignore-case":` + oneOrMore(fold) + `}}`
	case 12:
		return `{"exists":false}`
	case 13:
		return `{"exists":true}`
	case 14:
		return `{"cidr":"` + pick(g, masks) + `"}`
	case 15:
		return `{"numeric":["` + pick(g, []string{"=", "<", "<=", ">", ">="}) + `",` + number() + `]}`
	case 16:
		return g.between(number)
	case 17:
		return `{"exactly":` + text() + `}`
	}
	return until(g, g.literal, func(s string) bool { _, ok := comparable64(s); return ok || s[0] != '-' && (s[0] < '0' || s[0] > '9') })
}

// between returns a numeric operator with two bounds.
func (g *generator) between(number func() string) string {
	lo, hi := number(), number()
	a, _ := comparable64(lo)
	if b, _ := comparable64(hi); a > b {
		lo, hi = hi, lo
	}
	return `{"numeric":["` + pick(g, []string{">", ">="}) + `",` + lo + `,"` + pick(g, []string{"<", "<="}) + `",` + hi + `]}`
}

// fields returns an object of a pattern.
func (g *generator) fields(depth, or int) string {
	var members []string
	for _, i := range g.Perm(len(names))[:1+g.IntN(3)] {
		members = append(members, g.quote(names[i])+":"+g.field(depth-1, or))
	}
	if or > 0 && g.chance(25) {
		members = append(members, `"$or":`+g.list(2+g.IntN(2), func() string { return g.fields(depth, or-1) }))
	}
	g.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return "{" + strings.Join(members, ",") + "}"
}

func (g *generator) field(depth, or int) string {
	if depth > 0 && g.chance(35) {
		return g.fields(depth, or)
	}
	return g.list(1+g.IntN(2)+g.IntN(2), g.operand)
}

// pattern returns a random pattern, now and then one that is refused.
func (g *generator) pattern() string {
	members := []string{`"data":` + g.fields(3, 2)}
	for _, root := range []string{"subject", "source", "type", "extensions"} {
		switch {
		case !g.chance(10):
		case root == "extensions":
			members = append(members, `"extensions":`+g.fields(1, 0))
		default:
			members = append(members, `"`+root+`":`+g.list(1+g.IntN(3), g.operand))
		}
	}
	if g.chance(5) {
		members = members[1:]
		members = append(members, `"$or":[{"data":`+g.fields(2, 1)+`},{"subject":`+g.list(2, g.operand)+`}]`)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// pair returns a pattern and an event; half of the events are bent towards the pattern.
func (g *generator) pair() (string, Envelope) {
	p, env := g.pattern(), g.envelope()
	if g.chance(60) {
		var tree map[string]any
		decoder := json.NewDecoder(strings.NewReader(p))
		decoder.UseNumber()
		if decoder.Decode(&tree) == nil {
			if data, ok := tree["data"].(map[string]any); ok {
				env.Data = json.RawMessage(g.towards(data))
			}
		}
	}
	return p, env
}

// towards returns data that has the fields of a pattern, with values that it mentions, in arrays now and then.
func (g *generator) towards(fields map[string]any) string {
	alternatives, _ := fields["$or"].([]any)
	members := map[string]string{}
	if len(alternatives) > 0 {
		if or, ok := pick(g, alternatives).(map[string]any); ok {
			for name, wanted := range or {
				fields[name] = wanted
			}
		}
	}
	for _, name := range names {
		switch wanted := fields[name].(type) {
		case map[string]any:
			members[name] = g.wrapped(func() string { return g.towards(wanted) })
		case []any:
			if !g.chance(12) {
				members[name] = g.wrapped(func() string { return g.mentioned(wanted) })
			}
		default:
			if g.chance(15) {
				members[name] = g.event(1)
			}
		}
	}
	parts := make([]string, 0, len(members))
	for _, name := range names {
		if value, ok := members[name]; ok {
			parts = append(parts, g.quote(name)+":"+value)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (g *generator) wrapped(one func() string) string {
	switch n := g.IntN(12); {
	case n < 3:
		return g.list(1+g.IntN(3), func() string {
			if g.chance(30) {
				return g.event(1)
			}
			return one()
		})
	case n == 3:
		return "[" + g.list(1+g.IntN(2), one) + "," + one() + "]"
	}
	return one()
}

// mentioned returns a literal that stands somewhere in v, or a random one.
func (g *generator) mentioned(v any) string {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 && !g.chance(10) {
			return g.mentioned(pick(g, v))
		}
	case map[string]any:
		for _, inner := range v {
			return g.mentioned(inner)
		}
	case string:
		if v == "=" || strings.ContainsAny(v, "<>") {
			return g.number()
		}
		return g.quote(strings.ReplaceAll(v, "*", pick(g, []string{"", "a", "*", "abc"})))
	case json.Number:
		return v.String()
	}
	return g.literal()
}
