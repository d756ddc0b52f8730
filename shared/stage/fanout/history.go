package fanout

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/webhook"
)

// remembering leaves those entries of an event of the past whose triggers remember
// it. It cancels nothing, and nothing is sent for it.
func (f *Fanout) remembering(ctx context.Context, e webhook.Event, m matched) (_ matched, err error) {
	if e.History == 0 {
		return m, nil
	}
	m.remembers, m.feedsNothing = true, !e.History.Feeds(webhook.HistoryAttributes)
	m.entries, err = f.remembered(ctx, e, m.entries)
	return m, err
}

// remembered are those of the entries whose triggers remember an event of the past.
func (f *Fanout) remembered(ctx context.Context, e webhook.Event, entries []webhook.PlanEntry) (kept []webhook.PlanEntry, err error) {
	err = f.versions.each(ctx, e.Tenant, entries, func(p planned) error {
		if p.trigger != nil && p.trigger.Remembers(e.History) && !p.CancelsOnly && !p.Costly {
			entry := p.PlanEntry
			entry.Cancels = 0
			kept = append(kept, entry)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who remembers it: %w", err)
	}
	return kept, nil
}
