package trigger

import (
	"encoding/json"
	"errors"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// hashSize is the bytes of hash that name a key or mark: 32 characters.
const hashSize = 20

// The parts of a key's state.
const (
	partCount = "C"
	partOnce  = "ONCE"
	partCap   = "CAP"
	partTimer = "TIMER"
	markOf    = "M#" // begins the parts that are marks
)

// keyHash returns the hash of what the event has at the paths, false if
// something is missing there. A number and its text are one key.
func keyHash(d *pattern.Event, paths []pattern.Path) (string, bool) {
	texts, ok := keyTexts(d, paths)
	if !ok {
		return "", false
	}
	return hashOf(texts), true
}

// keyTexts returns what the event has at the paths.
func keyTexts(d *pattern.Event, paths []pattern.Path) ([]string, bool) {
	texts := make([]string, len(paths))
	for i, p := range paths {
		text, ok := scalar(d, p)
		if !ok {
			return nil, false
		}
		texts[i] = text
	}
	return texts, true
}

// hashOf names the key of these texts.
func hashOf(texts []string) string {
	all := make([]string, 1, len(texts)+1)
	all[0] = "key"
	return webhook.Hash(hashSize, append(all, texts...)...)
}

// keyText writes a key as [Spec.KeyRef] reads it.
func keyText(texts []string) string {
	if len(texts) == 1 {
		return texts[0]
	}
	text, _ := json.Marshal(texts) // strings always can be
	return string(text)
}

// scalar returns the text of a string, number or boolean; false if there is
// none, or an empty one.
func scalar(d *pattern.Event, p pattern.Path) (string, bool) {
	v, ok := d.Lookup(p)
	switch {
	case !ok || v.Empty():
		return "", false
	case v.Kind == pattern.Array || v.Kind == pattern.Object:
		return "", false
	}
	return v.Text, true
}

// ErrKey reports text that is no key of a trigger.
var ErrKey = errors.New("want the key; if it has several parts, a JSON array of strings")

// KeyRef names the state of one key, given as text: the value itself, or, if
// the trigger's key is a list of paths, a JSON array of the values as strings.
// It has no Part.
func (s *Spec) KeyRef(sub webhook.Subscription, text string) (webhook.StateRef, error) {
	texts := []string{text}
	if len(s.key) > 1 {
		texts = nil
		if json.Unmarshal([]byte(text), &texts) != nil || len(texts) != len(s.key) {
			return webhook.StateRef{}, ErrKey
		}
	}
	return stateRef(sub, hashOf(texts)), nil
}

func stateRef(sub webhook.Subscription, key string) webhook.StateRef {
	return webhook.StateRef{Tenant: sub.Tenant, Subscription: sub.ID, Epoch: sub.Epoch(), Key: key}
}
