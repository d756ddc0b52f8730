package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/publication"
	"github.com/postino/postino/shared/webhook"
)

// boundFor is how long an Idempotency-Key stays bound to what it came with.
const boundFor = 30 * 24 * time.Hour

// bound is what is stored of a key.
type bound struct {
	Digest string `json:"d"`
}

// bind binds the request's Idempotency-Key, if it has one, to what its events
// say, before anything is queued. A key that came with something else is 422.
// Only requests with a key pay for it, one write.
func (h *Handler) bind(ctx context.Context, tenant string, p publication.Publication) error {
	if p.Key == "" || h.Records == nil {
		return nil
	}
	now := h.now().UTC()
	data, err := json.Marshal(bound{p.Digest})
	if err != nil {
		return fmt.Errorf("encode what a key is bound to: %w", err)
	}
	item := webhook.StateItem{
		StateRef: webhook.StateRef{Tenant: tenant, Key: webhook.Hash(20, "idempotency", p.Key), Part: "KEY"},
		Data:     data, Expires: now.Add(boundFor).Truncate(time.Second),
	}
	for range 3 { // others may bind an old key anew at the same time
		err = h.Records.SaveTriggerState(ctx, []webhook.StateItem{item})
		if !errors.Is(err, webhook.ErrConflict) {
			break
		}
		stored, readErr := h.Records.TriggerState(ctx, []webhook.StateRef{item.StateRef})
		if readErr != nil {
			err = readErr
			break
		}
		if stored[0].Rev > 0 && stored[0].Expires.After(now) {
			return sameAs(stored[0], p.Digest)
		}
		item.Rev = stored[0].Rev
	}
	if err != nil {
		return unavailable(nil, fmt.Errorf("bind a key of %s: %w", tenant, err))
	}
	return nil
}

// sameAs returns nil if a key is bound to the same, or the 422.
func sameAs(item webhook.StateItem, digest string) error {
	var b bound
	if json.Unmarshal(item.Data, &b) != nil {
		return fmt.Errorf("what a key of %s is bound to is not what we wrote", item.Tenant)
	}
	if b.Digest == digest {
		return nil
	}
	return httpapi.Invalid(httpapi.FieldError{
		Field:  "Idempotency-Key",
		Detail: "was used with other events before: repeat the same request, or use a new key",
	})
}
