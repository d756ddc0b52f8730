package storetest

import "os"

// rounds is how often a long case repeats what it does: few times, as a rule,
// and all with POSTINO_PROVE.
func rounds(few, all int) int {
	if os.Getenv("POSTINO_PROVE") != "" {
		return all
	}
	return few
}
