package manage

import (
	"crypto/rand"
	"io"
	"strings"

	"github.com/oklog/ulid/v2"
)

// newID makes an id of ours: the prefix and a ULID in lower case, so that ids
// sort by the time they were made.
func (h *Handler) newID(prefix string) string {
	var random io.Reader = rand.Reader
	if h.Random != nil {
		random = h.Random
	}
	return prefix + strings.ToLower(ulid.MustNew(ulid.Timestamp(h.now()), random).String())
}
