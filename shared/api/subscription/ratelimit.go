package subscription

import (
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

// maxPerSecond is the highest rate limit: more than one subscription's
// deliveries can be recorded in a second is no limit.
const maxPerSecond = 10_000

// readRateLimit reads the whole limit. Rates are whole numbers, as those of
// EventBridge's API destinations are.
func readRateLimit(d *draft, v strictjson.Value) {
	if v.Kind() != strictjson.Object {
		d.faults.Add("rate_limit", `want an object, like {"per_second": 10}`)
		return
	}
	limit := webhook.RateLimit{}
	given := false
	d.object("rate_limit", v, map[string]func(string, strictjson.Value){
		"per_second": func(path string, v strictjson.Value) {
			n, whole := v.Int()
			given = true
			if !whole || n < 1 || n > maxPerSecond {
				d.faults.Add(path, "want a whole number from 1 to %d", maxPerSecond)
			}
			limit.PerSecond = int(n)
		},
	})
	if !given {
		d.faults.Add("rate_limit.per_second", "required")
	}
	d.Subscription.RateLimit = &limit
}

func viewRateLimit(s webhook.Subscription) any {
	if s.RateLimit == nil {
		return nil
	}
	return s.RateLimit
}
