package table

import "github.com/postino/postino/shared/webhook"

// maxName is the longest tenant, id or name of the contract.
const maxName = 64

// Name returns an id as a part of a key: itself if it is one, else its hash,
// so that no caller's "#" reaches another's keys.
func Name(id string) string {
	if !IsName(id) {
		return "!" + webhook.Hash(20, "name", id)
	}
	return id
}

// IsName reports whether an id is a part of a key as it is.
func IsName(id string) bool {
	if id == "" || len(id) > maxName {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// Ordinal writes n so that strings sort as numbers do; less than 0 is 0.
func Ordinal(n int64) string {
	digits := [19]byte{}
	for i, rest := len(digits)-1, max(n, 0); i >= 0; i, rest = i-1, rest/10 {
		digits[i] = '0' + byte(rest%10)
	}
	return string(digits[:])
}
