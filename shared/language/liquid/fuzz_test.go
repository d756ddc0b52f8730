package liquid

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

const fuzzData = `{"data":{"a":[3,"x",{"k":null},[1.5,-2]],"s":"h\u00e9llo <b>w</b> \u0001 }} {{","n":12345678901234567890,"o":{"size":1,"z":[]}},` +
	`"subject":"u1","now":"2026-02-03T04:05:06Z","event":{"id":"e","time":"2026-02-03T04:05:06+02:00"}}`

// seedTemplates are the templates of testdata/verdicts.jsonl, the bombs, and a few more.
func seedTemplates(f *testing.F) {
	f.Add(richTemplate)
	f.Add(fourExpressions)
	f.Add("{{ secrets.a }}{{ data.s | json }}{% liquid\nfor i in data.a\necho i\nendfor\n%}")
	for _, source := range bombs {
		if len(source) < 1000 { // mutating long ones finds little
			f.Add(source)
		}
	}
	for _, v := range verdicts(f) {
		f.Add(v.Template)
	}
}

func FuzzParse(f *testing.F) {
	seedTemplates(f)
	f.Fuzz(func(t *testing.T, source string) {
		template, err := Parse(source, Options{Secrets: true})
		if err == nil {
			if len(source) > MaxSource || template.Source() != source {
				t.Error("accepts a source that is too long, or loses it")
			}
			return
		}
		var fault *Error
		lines := strings.Count(source, "\n") + 1
		if !errors.As(err, &fault) || fault.Line < 1 || fault.Line > lines || fault.Column < 1 || fault.Column > len(source)+1 || fault.Message == "" {
			t.Errorf("Parse(%q) = %#v, want an *Error with a place in the template", source, err)
		}
	})
}

// FuzzRender checks that renders end in text or in one of our errors, the same each time, and that nothing
// but literal text gets past Escape.
func FuzzRender(f *testing.F) {
	seedTemplates(f)
	base := scope(f, fuzzData)
	f.Fuzz(func(t *testing.T, source string) {
		template, err := Parse(source, Options{Secrets: true})
		if err != nil {
			return
		}
		s := base
		segments := func() ([]Segment, error) {
			s.Budget = NewBudget(Limits{Steps: 20_000, Output: 16 << 10, Memory: 256 << 10})
			return template.Segments(s)
		}
		first, err := segments()
		again, errAgain := segments()
		if textOf(first) != textOf(again) || (err == nil) != (errAgain == nil) {
			t.Errorf("%q renders %q, %v and then %q, %v", source, textOf(first), err, textOf(again), errAgain)
		}
		var fault *Error
		var abort *Abort
		if err != nil && !errors.As(err, &fault) && !errors.As(err, &abort) {
			t.Errorf("%q: %#v is none of our errors", source, err)
		}
		if len(textOf(first)) > 16<<10+100*len(template.Secrets()) {
			t.Errorf("%q renders %d bytes", source, len(textOf(first)))
		}
		s.Escape = func(_ int, _ []byte, text string) (string, error) { return hex.EncodeToString([]byte(text)), nil }
		escaped, _ := segments()
		if strings.Contains(textOf(escaped), "\x01") && !strings.Contains(source, "\x01") {
			t.Errorf("%q lets data past Escape: %q", source, textOf(escaped))
		}
		if v, err := template.Eval(s); err == nil && !json.Valid(v.AppendJSON(nil)) {
			t.Errorf("%q evaluates to invalid JSON: %s", source, v.AppendJSON(nil))
		}
	})
}

func textOf(segments []Segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(s.Text)
	}
	return b.String()
}

// FuzzDecode compares with a strict decoder, and expects every byte back.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{fuzzData, benchEvent, `[1,-0,1e5,"\ud83d\ude00"]`, `{"a":1,"a":2}`, "[\"\xff\"]", `"\ud800"`, ` [ ] `, `1.`, `{"a":{"b":[{}]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		v, err := Decode(document)
		if valid := jsontext.Value(document).IsValid(); valid != (err == nil) && strings.Count(string(document), "[")+strings.Count(string(document), "{") <= MaxDepth {
			t.Fatalf("Decode(%q) = %v, but valid is %v", document, err, valid)
		}
		if err != nil {
			return
		}
		if got := string(v.AppendJSON(nil)); got != strings.Trim(string(document), " \t\r\n") {
			t.Errorf("Decode(%q) writes %q", document, got)
		}
		line, err := parse(t, "{{ v | json }}").Render(Scope{Vars: map[string]Value{"v": v}, Budget: NewBudget(Limits{Output: 1 << 30, Memory: 1 << 30, Steps: 1 << 30})})
		if err != nil || !json.Valid([]byte(line)) || strings.Contains(line, "\n") {
			t.Errorf("the filter json makes %q of %q, %v", line, document, err)
		}
	})
}
