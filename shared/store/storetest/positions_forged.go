package storetest

import (
	"errors"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

// forgedPositions changes real positions as one does who has seen some: each is
// a page or ErrNotFound, in both directions.
func forgedPositions(t *testing.T, store Store) {
	owe(t, store, 12, "a")
	subscribe(t, store, 3)
	for name, page := range pagers(store, t, "acme") {
		real := firstPosition(t, name, page)
		for i, forged := range forgeries(real) {
			for d := range rounds(1, 2) { // each way in turn, or both
				desc := (i+d)%2 == 0
				_, err := page(webhook.Page{Limit: 2, Position: forged, Desc: desc})
				if err != nil && !errors.Is(err, webhook.ErrNotFound) {
					t.Errorf("%s from %q, newest first %v: %v, want a page or ErrNotFound", name, forged, desc, err)
				}
			}
		}
	}
}

// forgeries are a position cut short anywhere, lengthened, and with other bytes.
func forgeries(real string) (list []string) {
	for i := range real {
		list = append(list, real[:i], real[:i]+"\x00"+real[i+1:], real[:i]+"9"+real[i+1:])
	}
	return append(list, real+"0", real+"#", real+"|", real+"\xff", real+"#0#", real+real, real+"#99999999999999999999#")
}
