package render

import (
	"net/url"
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
