package manage

import (
	"context"

	"github.com/postino/postino/shared/webhook"
)

// held tells what a new delivery of s would wait for: that s is closed, that its
// breaker is open, or that others stand in line under its rate limit. Nil if nothing
// holds it, or if s is a draft, to which nothing has happened.
func (h *previews) held(ctx context.Context, s webhook.Subscription) (*string, error) {
	if s.State != webhook.Active && s.State != "" {
		return waiting(webhook.Waiting(s.State)), nil
	}
	if s.Version == 0 {
		return nil, nil
	}
	ref := webhook.SubscriptionRef{Tenant: s.Tenant, ID: s.ID}
	heads, err := h.Store.Heads(ctx, []webhook.SubscriptionRef{ref})
	if err != nil {
		return nil, err
	}
	if heads[0].Health.Breaker.Open() {
		return waiting(webhook.WaitBreaker), nil
	}
	if s.RateLimit == nil {
		return nil, nil
	}
	line, err := h.Store.Line(ctx, ref, "", 1)
	if err != nil || len(line) == 0 {
		return nil, err
	}
	return waiting(webhook.WaitRateLimit), nil
}

func waiting(w webhook.Waiting) *string {
	text := string(w)
	return &text
}
