package render

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/postino/postino/shared/webhook"
)

// Encodings of a secret for its place in a request.
const (
	EncodeHeader = ""
	EncodeJSON   = "json"
	EncodePath   = "path"
	EncodeQuery  = "query"
	EncodeForm   = "form"
	EncodeXML    = "xml"
)

var encoders = map[string]func(string) string{
	EncodeHeader: func(s string) string { return s },
	EncodeJSON:   inString,
	EncodePath:   url.PathEscape,
	EncodeQuery:  encodeQuery,
	EncodeForm:   url.QueryEscape,
	EncodeXML:    strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace,
}

// Stars stands for a secret wherever people can see it.
const Stars = "***"

// Fill puts the secrets into a text, each encoded for its place. Value returns
// a secret by its name.
func Fill(t webhook.Text, value func(name string) string) string {
	if len(t.Inserts) == 0 {
		return t.Plain
	}
	var b strings.Builder
	from := 0
	for _, in := range t.Inserts {
		b.WriteString(t.Plain[from:in.At])
		b.WriteString(encoders[in.Encode](value(in.Secret)))
		from = in.At
	}
	b.WriteString(t.Plain[from:])
	return b.String()
}

// Spellings returns how a secret may stand in a request, or in an answer that
// repeats one: plain, in every encoding of [Fill], and as others write JSON.
func Spellings(secret string) []string {
	list := []string{secret}
	if strings.IndexFunc(secret, escaped) < 0 {
		return list
	}
	for _, encode := range encoders {
		list = append(list, encode(secret))
	}
	for _, quoted := range []string{strconv.QuoteToASCII(secret), string(forHTML(secret))} {
		list = append(list, quoted[1:len(quoted)-1])
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// forHTML is JSON that may stand in HTML.
func forHTML(text string) []byte {
	b, err := json.Marshal(text)
	if err != nil {
		panic("render: " + err.Error()) // a string
	}
	return b
}

// escaped reports whether some encoding writes r otherwise.
func escaped(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' && r != '~'
}

// Redact is [Fill] with [Stars] for every secret.
func Redact(t webhook.Text) string {
	if len(t.Inserts) == 0 {
		return t.Plain
	}
	return Fill(webhook.Text{Plain: t.Plain, Inserts: plainly(t.Inserts)}, func(string) string { return Stars })
}

func plainly(inserts []webhook.Insert) []webhook.Insert {
	bare := make([]webhook.Insert, len(inserts))
	for i, in := range inserts {
		bare[i] = webhook.Insert{At: in.At, Secret: in.Secret}
	}
	return bare
}

// Secrets returns the names of the secrets in a request, some perhaps twice.
func Secrets(t webhook.Target, c webhook.Content) []string {
	var names []string
	note := func(text webhook.Text) {
		for _, in := range text.Inserts {
			names = append(names, in.Secret)
		}
	}
	note(t.URL)
	note(c.Body)
	for _, h := range t.Headers {
		note(h.Value)
	}
	return names
}
