// Package attribute checks the attributes of an event. Each check returns "",
// or what is expected instead, as text for the caller.
//
// Characters are counted as Unicode counts them. Printable are letters, marks,
// digits, punctuation, symbols and the plain space; never line breaks or other
// control characters, so that an attribute can stand in a header or a log.
package attribute

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/postino/postino/shared/language/rfc3339"
	"github.com/postino/postino/shared/webhook"
)

// The most characters of each attribute.
const (
	MaxType    = 128
	MaxID      = 256
	MaxSource  = 512
	MaxSubject = 512
)

// What is Postino's own, and of operational events alone; see package
// operational.
const (
	OwnTypes  = "postino." // how their types begin
	OwnSource = "postino"
)

// Type checks the type of a published event: 1 to 128 printable characters
// without *, no space at either end, and not one of ours.
func Type(s string) string {
	if strings.HasPrefix(s, OwnTypes) {
		return "types that begin with postino. are reserved for Postino"
	}
	return anyType(s)
}

func anyType(s string) string {
	if !printable(s, MaxType) || strings.Contains(s, "*") || strings.Trim(s, " ") != s {
		return fmt.Sprintf("want 1 to %d printable characters without *, no space at either end", MaxType)
	}
	return ""
}

// TypePattern checks an entry of a subscription's types: a type, or the
// beginning of one with a * behind it, or * alone.
func TypePattern(s string) string {
	if prefix, ok := strings.CutSuffix(s, "*"); ok && (prefix == "" || anyType(prefix+".") == "" || anyType(prefix) == "") {
		return ""
	}
	if anyType(s) != "" {
		return fmt.Sprintf("want a type of 1 to %d printable characters, no space at either end, or its beginning and a *", MaxType)
	}
	return ""
}

// ID checks an event's id: 1 to 256 printable characters, no space at either
// end.
func ID(s string) string {
	if !printable(s, MaxID) || s != strings.TrimSpace(s) {
		return fmt.Sprintf("want 1 to %d printable characters, no space at either end", MaxID)
	}
	return ""
}

// Source checks an event's source: a URI reference (CloudEvents) of 1 to 512
// printable characters without space, and not ours.
func Source(s string) string {
	if s == OwnSource {
		return "the source postino is reserved for Postino"
	}
	if _, err := url.Parse(s); err != nil || !printable(s, MaxSource) || strings.Contains(s, " ") {
		return fmt.Sprintf("want a URI reference of 1 to %d characters", MaxSource)
	}
	return ""
}

// Subject checks an event's subject, if it has one.
func Subject(s string) string {
	if !printable(s, MaxSubject) {
		return fmt.Sprintf("want 1 to %d printable characters, or leave it out", MaxSubject)
	}
	return ""
}

// Schema checks a CloudEvent's dataschema: an absolute URI of 1 to 512
// characters.
func Schema(s string) string {
	if u, err := url.Parse(s); err != nil || !u.IsAbs() || !printable(s, MaxSource) || strings.Contains(s, " ") {
		return fmt.Sprintf("want an absolute URI of 1 to %d characters", MaxSource)
	}
	return ""
}

// Time reads an event's time, RFC 3339, from 1970 to 5 minutes ahead of now.
func Time(s string, now time.Time) (t time.Time, wrong string) {
	t, err := rfc3339.Parse(s)
	if err != nil {
		return time.Time{}, rfc3339.Wanted
	}
	switch {
	case t.After(now.Add(webhook.MaxAhead)):
		return time.Time{}, "more than 5 minutes ahead of Postino's clock"
	case t.Unix() < 0:
		return time.Time{}, "before 1970"
	}
	return t.UTC(), ""
}

// printable reports whether s has 1 to most characters, all of them printable.
func printable(s string, most int) bool {
	if s == "" || len(s) > most*utf8.UTFMax {
		return false
	}
	n := 0
	for _, r := range s {
		n++
		if r < utf8.RuneSelf && ' ' <= r && r <= '~' {
			continue
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}
	return n <= most
}
