package table

import (
	"strings"
	"testing"
)

func FuzzNamesInKeysAreThemselvesOrHashes(f *testing.F) {
	for _, seed := range []string{"", "acme", "a-b_c", "a#b", "A", "é", "!", strings.Repeat("a", 64), strings.Repeat("a", 65)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Name(s)
		switch hash, hashed := strings.CutPrefix(got, "!"); {
		case !hashed && got != s:
			t.Errorf("Name(%q) = %q", s, got)
		case !hashed && (s == "" || len(s) > 64 || strings.ContainsAny(s, "#~!/ABC")):
			t.Errorf("Name(%q) is itself", s)
		case hashed && (len(hash) != 32 || strings.Trim(hash, "0123456789abcdefghijklmnopqrstuv") != ""):
			t.Errorf("Name(%q) = %q, not a hash", s, got)
		}
	})
}
