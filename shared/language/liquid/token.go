package liquid

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// token is one word or sign of an expression.
type token struct {
	kind tokenKind
	text string // without the quotes of a string
	off  int
}

// tokenKind is a sign's own byte, or one of these.
type tokenKind byte

const (
	tokenEnd        tokenKind = 0
	tokenName       tokenKind = 'a'
	tokenNumber     tokenKind = '0'
	tokenString     tokenKind = '"'
	tokenComparison tokenKind = '='
	tokenDots       tokenKind = '~'
)

// tokenize cuts an expression that begins at byte off of the template.
func tokenize(tokens []token, text string, off int) ([]token, error) {
	for i := 0; i < len(text); {
		c := text[i]
		if strings.IndexByte(" \t\r\n\f\v", c) >= 0 {
			i++
			continue
		}
		kind, n := measure(text[i:])
		if n == 0 {
			r, _ := utf8.DecodeRuneInString(text[i:])
			message := fmt.Sprintf("unexpected character %q", r)
			if c == '"' || c == '\'' {
				message = "a string is not closed"
			}
			return nil, &faultAt{off + i, message}
		}
		t := token{kind, text[i : i+n], off + i}
		if kind == tokenString {
			t.text = t.text[1 : n-1]
		}
		if kind == tokenName && t.text == "contains" && !(len(tokens) > 0 && tokens[len(tokens)-1].kind == '.') {
			t.kind = tokenComparison
		}
		tokens = append(tokens, t)
		i += n
	}
	return append(tokens, token{tokenEnd, "", off + len(text)}), nil
}

// measure measures the token at the beginning of s; n is 0 if there is none.
func measure(s string) (kind tokenKind, n int) {
	c := s[0]
	switch {
	case isDigit(c), c == '-' && len(s) > 1 && isDigit(s[1]):
		return tokenNumber, numberLen(s)
	case isWord(c):
		return tokenName, nameLen(s)
	case c == '"' || c == '\'':
		if end := strings.IndexByte(s[1:], c); end >= 0 {
			return tokenString, end + 2
		}
		return 0, 0
	}
	return signLen(s)
}

func numberLen(s string) int {
	n := 1
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
		for n++; n < len(s) && isDigit(s[n]); n++ {
		}
	}
	return n
}

// nameLen measures a name: letters, digits, _ and -, and one ? at the end.
func nameLen(s string) int {
	n := 1
	for n < len(s) && (isWord(s[n]) || s[n] == '-') {
		n++
	}
	if n < len(s) && s[n] == '?' {
		n++
	}
	return n
}

var comparisons = []string{"==", "!=", "<>", "<=", ">=", "<", ">"}

func signLen(s string) (tokenKind, int) {
	for _, sign := range comparisons {
		if strings.HasPrefix(s, sign) {
			return tokenComparison, len(sign)
		}
	}
	if strings.HasPrefix(s, "..") {
		return tokenDots, 2
	}
	if strings.IndexByte("|.:,[]()", s[0]) >= 0 {
		return tokenKind(s[0]), 1
	}
	return 0, 0
}
