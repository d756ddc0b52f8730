package publication

import "github.com/postino/postino/shared/api/httpapi"

// keyHeader makes the ids that we choose repeatable: the same key and place in
// the request give the same id.
const keyHeader = "Idempotency-Key"

// IdempotencyKey returns the request's key, "" for none. A malformed one is 422.
func IdempotencyKey(r *httpapi.Request) (string, error) {
	values := r.Header[keyHeader]
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || !validKey(values[0]) {
		return "", httpapi.Invalid(httpapi.FieldError{Field: keyHeader, Detail: "want one key of 1 to 256 printable ASCII characters"})
	}
	return values[0], nil
}

const maxKey = 256 // characters of an Idempotency-Key

func validKey(key string) bool {
	for i := range len(key) {
		if key[i] < ' ' || key[i] > '~' {
			return false
		}
	}
	return 1 <= len(key) && len(key) <= maxKey
}
