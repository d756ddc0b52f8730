package render

import (
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

// writer collects a body and the places of its secrets.
type writer struct {
	b       []byte
	inserts []webhook.Insert
}

func (w *writer) insert(secret, encode string) {
	w.inserts = append(w.inserts, webhook.Insert{At: len(w.b), Secret: secret, Encode: encode})
}

func (w *writer) check() error {
	if len(w.b) > webhook.MaxBodySize {
		return &Skip{Reason: webhook.ReasonTooLarge, Detail: fmt.Sprintf("body is larger than %d bytes", webhook.MaxBodySize)}
	}
	return nil
}

func (w *writer) text() webhook.Text { return webhook.Text{Plain: string(w.b), Inserts: w.inserts} }
