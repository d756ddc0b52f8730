package liquid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

var codeFilters = []filter{
	{"base64_decode", 0, 0, "", decode64("base64_decode", base64.StdEncoding)},
	{"base64_encode", 0, 0, "", textual(2, func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })},
	{"base64_url_safe_decode", 0, 0, "", decode64("base64_url_safe_decode", base64.URLEncoding)},
	{"base64_url_safe_encode", 0, 0, "", textual(2, func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) })},
	{"hmac_sha256", 1, 1, "", hmac256},
	{"json", 0, 0, "", toJSON},
	{"sha256", 0, 0, "", textual(1, sum256)},
	{"url_decode", 0, 0, "", unlessNull(urlDecode)},
	{"url_encode", 0, 0, "", unlessNull(textual(3, url.QueryEscape))},
}

// decode64 wants padding and no space, except that the URL-safe form may leave out the padding.
func decode64(name string, encoding *base64.Encoding) func(*run, Value, []Value) (Value, error) {
	return func(r *run, in Value, _ []Value) (Value, error) {
		s, err := r.string(in)
		if err != nil {
			return Null, err
		}
		if err := r.remake(2 * len(s)); err != nil {
			return Null, err
		}
		e := encoding.Strict()
		if encoding == base64.URLEncoding {
			s = strings.NewReplacer("+", "-", "/", "_").Replace(s)
			if !strings.HasSuffix(s, "=") {
				e = e.WithPadding(base64.NoPadding)
			}
		}
		data, err := e.DecodeString(s)
		if err != nil || strings.ContainsAny(s, "\r\n") {
			return Null, faultf("%s wants base64", name)
		}
		return String(string(data)), nil
	}
}

func sum256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func hmac256(r *run, in Value, args []Value) (Value, error) {
	s, key, _, err := r.texts(in, args)
	if err != nil {
		return Null, err
	}
	if err := r.remake(len(s) + len(key)); err != nil {
		return Null, err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(s))
	return String(hex.EncodeToString(mac.Sum(nil))), nil
}

// toJSON is the filter for JSON text: one line, numbers and escapes as they were published.
func toJSON(r *run, in Value, _ []Value) (Value, error) {
	w := writer{budget: r.budget}
	w.json(in)
	text, err := w.done()
	return String(text), err
}

func urlDecode(r *run, in Value, _ []Value) (Value, error) {
	s, err := r.string(in)
	if err != nil {
		return Null, err
	}
	if err := r.remake(2 * len(s)); err != nil {
		return Null, err
	}
	decoded := unescapeURL(s)
	if !utf8.ValidString(decoded) {
		return Null, fault("url_decode wants text in UTF-8")
	}
	return String(decoded), nil
}

// unescapeURL leaves a % without two hexadecimal digits as it is.
func unescapeURL(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s):
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
			fallthrough
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}
