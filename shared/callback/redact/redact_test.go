package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// spell are ways in which programs write a text.
var spell = map[string]func(string) string{
	"JSON": func(s string) string { b, _ := json.Marshal(s); return string(b) },
	"JSON in ASCII": func(s string) string {
		var b strings.Builder
		b.WriteByte('"')
		for _, r := range s {
			switch {
			case r >= 0x10000:
				r -= 0x10000
				fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			case r > '~' || r == '"' || r == '\\' || r == '/' || r == '<':
				fmt.Fprintf(&b, `\u%04X`, r)
			default:
				b.WriteRune(r)
			}
		}
		return b.String() + `"`
	},
	"PHP's JSON": func(s string) string { b, _ := json.Marshal(s); return strings.ReplaceAll(string(b), "/", `\/`) },
	"Go":         strconv.QuoteToASCII,
	"path":       url.PathEscape,
	"query":      url.QueryEscape,
	"all percent": func(s string) string {
		return "%" + strings.ToUpper(strings.Join(strings.Split(fmt.Sprintf("% x", s), " "), "%"))
	},
	"HTML":           html.EscapeString,
	"XML":            strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "'", "&apos;", "ä", "&#xE4;", "😀", "&#128512;").Replace,
	"base64":         func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 of URLs": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"hex":            func(s string) string { return hex.EncodeToString([]byte(s)) },
}

var secrets = []string{`q"u'o\te/d`, "schlüssel-ä😀", `a b+c%20&amp;<x>`, "plain-0123456789"}

func TestASecretIsHiddenHoweverItIsSpelledTwiceOver(t *testing.T) {
	for outer, second := range spell {
		for inner, first := range spell {
			for _, secret := range secrets {
				text := "said " + second(`{"echo":"a `+first(secret)+` z"}`) + " so"
				got := Hide(text, secrets)
				if strings.Contains(strings.ToLower(got), strings.ToLower(core(second, first, secret))) || !strings.Contains(got, Stars) {
					t.Errorf("%s in %s of %q: %s\nbecomes %s", inner, outer, secret, text, got)
				}
				if !strings.HasPrefix(got, "said ") || !strings.HasSuffix(got, " so") {
					t.Errorf("%s in %s: what stands around is gone: %s", inner, outer, got)
				}
			}
		}
	}
}

// core is the middle of a spelled secret, which no alignment changes.
func core(second, first func(string) string, secret string) string {
	text := second(first(secret))
	return text[len(text)/3 : len(text)*2/3]
}

func TestThreeLevelsOfJSONHideNothingLess(t *testing.T) {
	text := secrets[0] + secrets[1]
	for range 3 {
		text = spell["JSON in ASCII"](text)
	}
	if got := Hide(text, secrets); strings.Contains(got, "sch") || strings.Contains(got, "o") || !strings.Contains(got, Stars) {
		t.Errorf("%s becomes %s", text, got)
	}
}

func TestWhatHoldsNoSecretStaysAsItIs(t *testing.T) {
	for _, text := range []string{
		"", "plain", `{"a":"b\n","c":"%41&amp;","d":"` + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("other", 20))) + `"}`,
		"\xff\xfe\\", `\`, `\u12`, "%", "%4", "&", "&;", strings.Repeat("+", 100), "plain-012345678",
	} {
		if got := Hide(text, secrets); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestSeveralSecretsThatTouchOrOverlapAreHiddenOnce(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"xabcdefghijy", "x***y"}, {"abcdef", "***"}, {"abcdefabcdef", "******"}, {"xefghijy", "x***y"}, {"abcde", "abcde"},
	} {
		if got := Hide(tt.text, []string{"abcdef", "efghij"}); got != tt.want {
			t.Errorf("Hide(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// Nobody knows what is in a text that was not searched to its end.
func TestATextThatTakesTooLongIsHiddenAsAWhole(t *testing.T) {
	text := strings.Repeat(`\%41&amp;QUFBQUFB`, 100)
	if got := hide(text, secrets, 2*len(text)); got != Stars {
		t.Errorf("%d bytes become %q, want %q", len(text), got, Stars)
	}
	if got := Hide(text, secrets); got != text {
		t.Errorf("with time enough they become %q, want them as they are", got)
	}
}

func FuzzHideLeavesNoSecret(f *testing.F) {
	f.Add("a \\", "\" b", "JSON", "HTML")
	f.Add("%4", "+", "query", "base64")
	f.Fuzz(func(t *testing.T, before, after, inner, outer string) {
		first, known := spell[inner]
		second, known2 := spell[outer]
		if !known || !known2 || strings.ContainsAny(before+after, "\\%&=") || strings.Contains(before+after, "\xff") {
			return // which could swallow the beginning of what follows
		}
		secret := secrets[3]
		text := second(" " + before + " " + first(secret) + " " + after + " ")
		if got := Hide(text, secrets); got == text {
			t.Errorf("%q in %s in %s stays: %s", secret, inner, outer, text)
		}
	})
}
