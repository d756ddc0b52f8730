package stats

import (
	"strconv"
	"strings"

	"github.com/postino/postino/shared/measure/histogram"
	"github.com/postino/postino/shared/webhook"
)

// Figures are counts, put in order.
type Figures struct {
	Succeeded, Exhausted, Canceled int64 // deliveries that ended
	Attempts                       int64
	Failed                         map[webhook.ErrorClass]int64 // attempts
	Attempt, EndToEnd              histogram.Counts
}

// Add adds stored counts. Names that it does not know it passes over.
func (f *Figures) Add(counts map[string]int64) {
	if f.Failed == nil {
		f.Failed, f.Attempt, f.EndToEnd = map[webhook.ErrorClass]int64{}, histogram.Counts{}, histogram.Counts{}
	}
	plain := map[string]*int64{succeeded: &f.Succeeded, exhausted: &f.Exhausted, canceled: &f.Canceled, attempts: &f.Attempts}
	for name, n := range counts {
		if sum := plain[name]; sum != nil {
			*sum += n
		} else if class, failed := strings.CutPrefix(name, failedPrefix); failed {
			f.Failed[webhook.ErrorClass(class)] += n
		} else if b, err := strconv.Atoi(name[min(1, len(name)):]); err == nil && name[:1] == attemptPrefix {
			f.Attempt[b] += n
		} else if err == nil && name[:1] == endToEndPrefix {
			f.EndToEnd[b] += n
		}
	}
}
