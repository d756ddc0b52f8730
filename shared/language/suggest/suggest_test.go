package suggest_test

import (
	"strings"
	"testing"

	"github.com/postino/postino/shared/language/suggest"
)

func TestTheNearestWordIsTheOneThatWasMeant(t *testing.T) {
	known := []string{"url", "types", "filter", "trigger", "request", "metadata", "rate_limit", "max_age", "order.paid", "order.placed"}
	for _, tt := range []struct{ word, want string }{
		{"type", "types"},
		{"Types", "types"},
		{"TYPES", "types"},
		{"tpyes", "types"}, // two swapped letters are one fault
		{"filters", "filter"},
		{"fliter", "filter"},
		{"rate-limit", "rate_limit"},
		{"ratelimit", "rate_limit"},
		{"maxAge", "max_age"},
		{"rul", "url"},
		{"order.payed", "order.paid"},
		{"oder.placed", "order.placed"},
		{"requets", "request"},
		{"uri", "url"},
		{"ur", ""}, // of two letters none may be wrong
		{"URL", "url"},
		{"url", ""}, // known: nothing is meant beside it
		{"colour", ""},
		{"", ""},
		{"x", ""},
		{strings.Repeat("metadata", 100), ""},
		{"typ\xff", ""},
		{"métadata", "metadata"},
	} {
		got, ok := suggest.Nearest(tt.word, known)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", tt.word, got, ok, tt.want)
		}
	}
}

func TestOfEquallyNearWordsTheFirstWinsAndANearerOneBeatsIt(t *testing.T) {
	for _, tt := range []struct {
		known []string
		want  string
	}{
		{[]string{"upcased", "upcases"}, "upcased"},
		{[]string{"upcases", "upcased"}, "upcases"},
		{[]string{"downcase", "upcase"}, "upcase"},
		{[]string{"upcase", "upcases"}, "upcase"},
	} {
		if got, _ := suggest.Nearest("upcasee", tt.known); got != tt.want {
			t.Errorf("Nearest of %v = %q, want %q", tt.known, got, tt.want)
		}
	}
}

func TestAHintNamesTheWordOrSaysNothing(t *testing.T) {
	if got, want := suggest.Hint("fliter", []string{"filter"}), `; did you mean "filter"?`; got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
	if got := suggest.Hint("colour", []string{"filter"}); got != "" {
		t.Errorf("hint %q, want none", got)
	}
}

// The distance is that of the textbook: symmetric, zero for the same word only,
// and each single edit makes it 1 at most.
func FuzzOneEditIsFound(f *testing.F) {
	f.Add("metadata", 3, byte('x'))
	f.Add("rate_limit", 0, byte('_'))
	f.Fuzz(func(t *testing.T, word string, at int, c byte) {
		if len(word) < 4 || len(word) > 60 || strings.ContainsFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }) || c < 'a' || c > 'z' {
			return
		}
		at = ((at % len(word)) + len(word)) % len(word)
		for _, wrong := range []string{word[:at] + word[at+1:], word[:at] + string(c) + word[at:], word[:at] + string(c) + word[at+1:]} {
			if got, ok := suggest.Nearest(wrong, []string{word}); wrong != word && got != word {
				t.Errorf("Nearest(%q) = %q, %v, want %q", wrong, got, ok, word)
			}
		}
	})
}
