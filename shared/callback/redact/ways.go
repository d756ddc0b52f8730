package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ways undo one kind of spelling each. A layer without any text means that there
// is nothing to undo. Secrets have at least so many bytes.
var ways = []func(l layer, least int) layer{
	replacing(`\`, regexp.MustCompile(`(?s)\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\.`), backslash),
	replacing("%", regexp.MustCompile(`%[0-9a-fA-F]{2}`), percent),
	replacing("+", regexp.MustCompile(`%[0-9a-fA-F]{2}|\+`), percent), // as forms do
	replacing("&", regexp.MustCompile(`&#?[0-9A-Za-z]{1,31};`), entity),
	decoding(inBase64, 4, 3, 0, fromBase64), decoding(inBase64, 4, 3, 1, fromBase64), decoding(inBase64, 4, 3, 2, fromBase64), decoding(inBase64, 4, 3, 3, fromBase64),
	decoding(inHex, 2, 1, 0, fromHex), decoding(inHex, 2, 1, 1, fromHex),
}

// undoable reports whether there may be something to undo in a text: the first
// sign of an escape, or a run that is long enough for a secret.
func undoable(text string, least int) bool {
	run := 0
	for i := range len(text) {
		switch b := text[i]; {
		case b == '\\' || b == '%' || b == '&' || b == '+':
			return true
		case inBase64[b]:
			if run++; run*3 >= least*4 {
				return true // hex is longer for the same secret
			}
		default:
			run = 0
		}
	}
	return false
}

// replacing undoes escapes, which begin with a sign, in a text that else stays
// as it is.
func replacing(sign string, escape *regexp.Regexp, means func([]byte) []byte) func(layer, int) layer {
	return func(l layer, _ int) (under layer) {
		if !bytes.Contains(l.text, []byte(sign)) {
			return under // most have none
		}
		done := 0
		for _, at := range escape.FindAllIndex(l.text, -1) {
			under.copy(l, done, at[0])
			under.add(l, at[0], at[1], means(l.text[at[0]:at[1]]))
			done = at[1]
		}
		if done > 0 {
			under.copy(l, done, len(l.text))
		}
		return under
	}
}

// copy appends bytes that stand for themselves.
func (l *layer) copy(of layer, from, to int) {
	for i := from; i < to; i++ {
		l.add(of, i, i+1, of.text[i:i+1])
	}
}

// backslash reads what JSON, JavaScript and Go write.
func backslash(escape []byte) []byte {
	switch letter := escape[1]; {
	case letter == 'u' && len(escape) == 12:
		return utf8.AppendRune(nil, utf16.DecodeRune(number(escape[2:6]), number(escape[8:])))
	case letter == 'u' && len(escape) == 6:
		return utf8.AppendRune(nil, number(escape[2:]))
	case letter == 'U' && len(escape) == 10:
		return utf8.AppendRune(nil, number(escape[2:]))
	case letter == 'x' && len(escape) == 4:
		return []byte{byte(number(escape[2:]))}
	}
	if plain, ok := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}[escape[1]]; ok {
		return []byte{plain}
	}
	return escape[1:]
}

func number(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits), 16, 32) // the pattern lets nothing else through
	return rune(n)
}

func percent(escape []byte) []byte {
	if escape[0] == '+' {
		return []byte{' '}
	}
	return []byte{byte(number(escape[1:]))}
}

func entity(escape []byte) []byte { return []byte(html.UnescapeString(string(escape))) }

// class says which characters a run consists of.
type class [256]bool

func classOf(characters string) (c class) {
	for _, b := range []byte(characters) {
		c[b] = true
	}
	return c
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

var (
	inBase64 = classOf(digits + letters + "+/-_")
	inHex    = classOf(digits + "abcdefABCDEF")
)

// decoding reads runs of so many characters for so many bytes, from the skip-th
// one on, and leaves out all else, and runs that are too short for a secret.
func decoding(of class, characters, stand, skip int, means func([]byte) []byte) func(layer, int) layer {
	return func(l layer, least int) (under layer) {
		for from := 0; from < len(l.text); from++ {
			end := from
			for end < len(l.text) && of[l.text[end]] {
				end++
			}
			if (end-from)*stand >= least*characters {
				for at := from + skip; at < end; at += characters {
					to := min(at+characters, end)
					under.add(l, at, to, means(l.text[at:to]))
				}
				under.add(l, end-1, end, []byte{0}) // what follows is another run
			}
			from = end
		}
		return under
	}
}

// fromBase64 reads up to four characters of either alphabet.
func fromBase64(group []byte) []byte {
	group = append([]byte(nil), group...)
	for i, c := range group {
		switch c {
		case '-':
			group[i] = '+'
		case '_':
			group[i] = '/'
		}
	}
	plain, err := base64.RawStdEncoding.AppendDecode(nil, group)
	if err != nil {
		return nil // a character alone at the end
	}
	return plain
}

func fromHex(group []byte) []byte {
	plain, err := hex.AppendDecode(nil, group)
	if err != nil {
		return nil
	}
	return plain
}
