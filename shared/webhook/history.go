package webhook

import "slices"

// History says what an event of the past feeds: it is published to bring along
// what was before Postino, and nothing is sent for it. 0 is an event of today.
type History uint8

// What an event of the past can feed.
const (
	HistoryAttributes History = 1 << iota // computed attributes of profiles
	HistoryCounts                         // what triggers count
	HistoryClaims                         // once, once_per and cap of triggers, as if it had been sent
	HistoryAll        = HistoryAttributes | HistoryCounts | HistoryClaims
)

// HistoryParts are the names of what can be fed, in the order of their bits.
var HistoryParts = []string{"attributes", "counts", "claims"}

// HistoryOf returns the part of that name; 0 if there is none.
func HistoryOf(part string) History {
	if i := slices.Index(HistoryParts, part); i >= 0 {
		return 1 << i
	}
	return 0
}

// Feeds reports whether an event feeds a part: one of today feeds each.
func (h History) Feeds(part History) bool { return h == 0 || h&part != 0 }

// Names lists what is fed; nil for an event of today.
func (h History) Names() (names []string) {
	for i, name := range HistoryParts {
		if h&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
