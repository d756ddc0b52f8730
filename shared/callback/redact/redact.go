// Package redact replaces each secret in a text by stars, in any encoding of
// the secret.
//
// Receivers answer what they were sent, and they do so in JSON within JSON, in
// HTML, in a URL, in base64. So the text is undone in every way that is known,
// one within another, and a secret that is found there is hidden where it came
// from.
package redact

import (
	"bytes"
	"slices"
	"sort"
	"strings"
)

// Stars stand for a secret.
const Stars = "***"

const (
	deepest = 4       // ways of spelling within one another
	budget  = 8 << 20 // bytes that are looked at for one text
)

// Hide returns text with [Stars] for each of the secrets. One that takes too
// long to search is hidden as a whole.
func Hide(text string, secrets []string) string { return hide(text, secrets, budget) }

func hide(text string, secrets []string, budget int) string {
	if len(secrets) == 0 {
		return text
	}
	least, depth := len(slices.MinFunc(secrets, func(a, b string) int { return len(a) - len(b) })), deepest
	if !undoable(text, least) { // most are not
		if !slices.ContainsFunc(secrets, func(secret string) bool { return strings.Contains(text, secret) }) {
			return text
		}
		depth = 0
	}
	s := search{secrets: secrets, least: least, left: budget, seen: map[string]bool{}}
	s.look(layer{text: []byte(text)}, depth)
	if s.left < 0 {
		return Stars
	}
	return s.cut(text)
}

// layer is a text as it reads once something was undone, and where each of its
// bytes came from.
type layer struct {
	text     []byte
	from, to []int // of the first text; nil where the layer is the first
}

// origin is where a byte came from.
func (l layer) origin(i int) (from, to int) {
	if l.from == nil {
		return i, i + 1
	}
	return l.from[i], l.to[i]
}

// add appends what the bytes from..to of another layer stand for.
func (l *layer) add(of layer, from, to int, means []byte) {
	begin, _ := of.origin(from)
	_, end := of.origin(to - 1)
	for _, b := range means {
		l.text, l.from, l.to = append(l.text, b), append(l.from, begin), append(l.to, end)
	}
}

// search looks for secrets through layers.
type search struct {
	secrets []string
	least   int // bytes of the shortest
	left    int // bytes that may still be looked at
	seen    map[string]bool
	found   [][2]int
}

func (s *search) look(l layer, depth int) {
	if s.left -= len(l.text) + 1; s.left < 0 || s.seen[string(l.text)] {
		return
	}
	s.seen[string(l.text)] = true
	for _, secret := range s.secrets {
		s.mark(l, []byte(secret))
	}
	if depth == 0 {
		return
	}
	if len(l.text) < s.least {
		return
	}
	for _, undo := range ways {
		if under := undo(l, s.least); len(under.text) > 0 {
			s.look(under, depth-1)
		}
	}
}

// mark notes where a secret that stands in a layer came from.
func (s *search) mark(l layer, secret []byte) {
	for at := 0; len(secret) > 0; at++ {
		i := bytes.Index(l.text[at:], secret)
		if i < 0 {
			return
		}
		at += i
		from, _ := l.origin(at)
		_, to := l.origin(at + len(secret) - 1)
		s.found = append(s.found, [2]int{from, to})
	}
}

// cut puts stars over what was found.
func (s *search) cut(text string) string {
	if len(s.found) == 0 {
		return text
	}
	sort.Slice(s.found, func(i, j int) bool { return s.found[i][0] < s.found[j][0] })
	var b strings.Builder
	done := 0
	for i := 0; i < len(s.found); {
		from, to := s.found[i][0], s.found[i][1]
		for i++; i < len(s.found) && s.found[i][0] < to; i++ {
			to = max(to, s.found[i][1])
		}
		b.WriteString(text[done:from])
		b.WriteString(Stars)
		done = to
	}
	b.WriteString(text[done:])
	return b.String()
}
