package planted

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// secret is one that was planted.
type secret struct {
	name  string
	value []byte
}

const (
	deepest    = 4        // forms within forms that are undone
	mostUnzip  = 16 << 20 // bytes of one stream
	shortestIn = 16       // bytes of text that could hold a secret
)

// find returns the names of the secrets in data, as they are or in any form
// that can be undone, within one another: gzip, base64, hex, escapes of URLs
// and of JSON.
func find(data []byte, secrets []secret) (names []string) {
	seen := map[string]bool{}
	var look func(data []byte, depth int)
	look = func(data []byte, depth int) {
		for _, s := range secrets {
			if bytes.Contains(data, s.value) && !slices.Contains(names, s.name) {
				names = append(names, s.name)
			}
		}
		if depth == deepest {
			return
		}
		for _, undo := range []func([]byte) [][]byte{unzip, unbase64, unhex, undecimal, unescapeURL, unescapeJSON} {
			for _, inner := range undo(data) {
				if key := string(inner); len(inner) >= shortestIn && !seen[key] {
					seen[key] = true
					look(inner, depth+1)
				}
			}
		}
	}
	look(data, 0)
	return names
}

// unzip reads every gzip stream in data, as far as it goes.
func unzip(data []byte) (all [][]byte) {
	for from := 0; ; from++ {
		at := bytes.Index(data[from:], []byte{0x1f, 0x8b, 8})
		if at < 0 {
			return all
		}
		from += at
		if r, err := gzip.NewReader(bytes.NewReader(data[from:])); err == nil {
			r.Multistream(false)
			plain, _ := io.ReadAll(io.LimitReader(r, mostUnzip)) // what comes before a broken end counts
			all = append(all, plain)
		}
	}
}

var inBase64 = regexp.MustCompile(`[A-Za-z0-9+/_-]{22,}`)

// unbase64 decodes every run of either alphabet, from each of the places where a
// group of four may begin.
func unbase64(data []byte) (all [][]byte) {
	for _, run := range inBase64.FindAll(data, -1) {
		text := strings.NewReplacer("-", "+", "_", "/").Replace(string(run))
		for from := range 4 {
			part := text[from:]
			part = part[:len(part)-len(part)%4]
			if plain, err := base64.StdEncoding.DecodeString(part); err == nil {
				all = append(all, withRest(plain, text[from+len(part):]))
			}
		}
	}
	return all
}

// withRest decodes the two or three characters of an unpadded end too.
func withRest(plain []byte, rest string) []byte {
	end, err := base64.RawStdEncoding.DecodeString(rest)
	if err != nil {
		return plain
	}
	return append(plain, end...)
}

var inHex = regexp.MustCompile(`[0-9a-fA-F]{32,}`)

func unhex(data []byte) (all [][]byte) {
	for _, run := range inHex.FindAll(data, -1) {
		for from := range 2 {
			part := run[from:]
			plain := make([]byte, len(part)/2)
			if _, err := hex.Decode(plain, part[:len(part)-len(part)%2]); err == nil {
				all = append(all, plain)
			}
		}
	}
	return all
}

var inDecimal = regexp.MustCompile(`[0-9]{1,3}([ ,]+[0-9]{1,3}){15,}`)

// undecimal reads bytes as Go prints them.
func undecimal(data []byte) (all [][]byte) {
	for _, run := range inDecimal.FindAll(data, -1) {
		var plain []byte
		for _, number := range bytes.FieldsFunc(run, func(r rune) bool { return r == ' ' || r == ',' }) {
			n, _ := strconv.Atoi(string(number))
			plain = append(plain, byte(n))
		}
		all = append(all, plain)
	}
	return all
}

var inURL = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

func unescapeURL(data []byte) [][]byte {
	if !inURL.Match(data) {
		return nil
	}
	plain := inURL.ReplaceAllFunc(data, func(c []byte) []byte {
		n, _ := strconv.ParseUint(string(c[1:]), 16, 8)
		return []byte{byte(n)}
	})
	return [][]byte{plain, bytes.ReplaceAll(plain, []byte("+"), []byte(" "))}
}

var inJSON = regexp.MustCompile(`\\u[0-9a-fA-F]{4}|\\.`)

func unescapeJSON(data []byte) [][]byte {
	if !inJSON.Match(data) {
		return nil
	}
	return [][]byte{inJSON.ReplaceAllFunc(data, func(c []byte) []byte {
		var text string
		if json.Unmarshal([]byte(`"`+string(c)+`"`), &text) != nil {
			return c
		}
		return []byte(text)
	})}
}

func TestTheSearchUndoesEveryForm(t *testing.T) {
	const value = "planted-näive+\"value\"/with=all&<that>-0123456789"
	secrets := []secret{{"it", []byte(value)}, {"other", []byte("planted-other-value")}}
	zipped := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, text)
		w.Close()
		return b.String()
	}
	quoted := func(text string) string { b, _ := json.Marshal(text); return string(b) }
	in64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, text := range map[string]string{
		"plain": "a" + value + "b", "JSON": quoted(value), "twice": quoted(quoted(value)), "query": url.QueryEscape("a b" + value), "path": url.PathEscape(value),
		"hex": "x" + hex.EncodeToString([]byte(value)), "odd hex": "a" + strings.ToUpper(hex.EncodeToString([]byte(value))),
		"base64": in64(value), "base64 of more": in64("user:" + value), "base64 behind letters": "xy" + in64(value),
		"URL alphabet": base64.RawURLEncoding.EncodeToString([]byte("?" + value)),
		"gzip":         "before" + zipped("a "+value) + "behind", "gzip in base64": "{\"body\":\"" + in64(zipped(quoted(value))) + "\"}",
		"all of it": in64(zipped(hex.EncodeToString([]byte(url.QueryEscape(value))))), "broken gzip": zipped(value + strings.Repeat("x", 100_000))[:120],
		"bytes as Go prints them": fmt.Sprintf("%x", value), "as numbers": fmt.Sprint([]byte(value)),
	} {
		if got := find([]byte(text), secrets); len(got) != 1 || got[0] != "it" {
			t.Errorf("%s: found %q, want it", name, got)
		}
	}
	if got := find([]byte("planted-"+in64("nothing of the kind")), secrets); len(got) != 0 {
		t.Errorf("found %q where nothing is", got)
	}
}
