package fanout

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

// remembering leaves those entries of an event of the past whose triggers remember
// it. It cancels nothing, and nothing is sent for it.
func (f *Fanout) remembering(ctx context.Context, e webhook.Event, m matched) (matched, error) {
	if e.History == 0 {
		return m, nil
	}
	var kept []webhook.PlanEntry
	err := f.versions.each(ctx, e.Tenant, m.entries, func(p planned) error {
		if p.trigger != nil && p.trigger.Remembers(e.History) && !p.CancelsOnly && !p.Costly {
			entry := p.PlanEntry
			entry.Cancels = 0
			kept = append(kept, entry)
		}
		return nil
	})
	if err != nil {
		return m, fmt.Errorf("read who remembers it: %w", err)
	}
	if m.entries = kept; !e.History.Feeds(webhook.HistoryAttributes) {
		m.feedsNothing = true
	}
	return m, nil
}
