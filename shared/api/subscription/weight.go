package subscription

import (
	"fmt"

	"github.com/postino/postino/shared/language/pattern"
	"github.com/postino/postino/shared/webhook"
)

// weigh notes what types and filters take in fan-out's memory, and refuses what is
// too much for one subscription.
func (d *draft) weigh() {
	if d.faults.Any() {
		return
	}
	weight, err := filterWeight(d.Subscription.Head())
	if err != nil {
		return // a fault of a base that was judged when it was saved
	}
	if weight > pattern.MaxWeight {
		d.faults.Add("filter", "takes %d bytes of memory with types and cancel clauses, want at most %d: use fewer values, or prefixes instead of many values", weight, pattern.MaxWeight)
	}
	d.Subscription.Heavy = max(0, weight-webhook.FreeFilter)
}

// filterWeight files the types and filters of a head as fan-out does.
func filterWeight(h webhook.Head) (int, error) {
	var x pattern.Index[int]
	whole := 0
	for i, c := range append([]webhook.Cancel{{Types: h.Types, Filter: h.Filter}}, h.Cancels...) {
		var p *pattern.Pattern
		if len(c.Filter) > 0 {
			var err error
			if p, err = pattern.CompileOver(pattern.WithProfile, c.Filter, "filter"); err != nil {
				return 0, fmt.Errorf("weigh: %w", err)
			}
			if event, asks := p.OfEvent(); asks {
				whole += p.Weight()
				p = event
			}
		}
		x.Add(i, c.Types, p)
	}
	return x.Weight() + whole, nil
}
